"""`manage.py sweep convert`: a file of another tool as a sweep-job file, to write on in."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from sweeps.client.documents import draft_of
from sweeps.client.errors import ValidationException
from sweeps.client.verbs import Jobs, Terminal, answer
from sweeps.domain.problems import InvalidInput
from sweeps.management.local import told
from sweeps.spec.reader import read_job
from sweeps.spec.writer import job_to_doc, to_yaml

NAME = "convert"


def add_verb(verb: Callable[..., ArgumentParser]) -> None:
    """Add `convert`."""
    verb(NAME, "print a file of W&B or Katib as a sweep-job file", "FILE.yml")


def run(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    """Print it; what is not the same goes to the other stream."""
    draft = draft_of(given.subject)
    try:
        job = read_job(draft.document)
    except InvalidInput as error:
        found = told(error)
        raise (draft.located(found) if isinstance(found, ValidationException) else found) from error
    for note in job.notes:
        print(note, file=terminal.err)
    answer(given, terminal, job_to_doc(job), to_yaml(job).splitlines())
