"""`python -m sweeps.client VERB …`: a running studio from the terminal of any machine.

Exit codes: 0 done (with --watch: the sweep completed); 1 it did not, or something is wrong;
2 the command was misspelt; 3 the sweep has paused itself after failures and waits for a person;
130 watching was interrupted, the sweep goes on.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from sweeps.client.errors import JobException, JobPaused, StreamInterrupted, StudioError
from sweeps.client.ml_client import MLClient
from sweeps.client.progress import words
from sweeps.client.records import Job
from sweeps.client.tables import best_line, sweep_lines, trial_lines

FAILED, PAUSED, INTERRUPTED = 1, 3, 130
_STEERING = ("pause", "resume", "stop", "cancel")


def parser() -> argparse.ArgumentParser:
    """What may be typed."""
    top = argparse.ArgumentParser(prog="python -m sweeps.client", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, subject: str = "NAME") -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=text, description=f"{text}.")
        found.add_argument("--url", help="the studio (STUDIO_URL)")
        found.add_argument("--token", help="an API token (STUDIO_TOKEN)")
        found.add_argument("--workspace", help="by default the token's own")
        found.add_argument("--json", action="store_true", help="print the REST answer")
        if subject:
            found.add_argument("subject", metavar=subject)
        return found

    submit = verb("submit", "submit a sweep-job file with the code that it names", "FILE.yml")
    submit.add_argument("--watch", action="store_true", help="show its progress to the end")
    verb("list", "list sweeps, newest first", "").add_argument("--status")
    verb("show", "tell how a sweep stands")
    verb("watch", "show a sweep's progress to the end")
    verb("trials", "list the trials of a sweep").add_argument("--status")
    verb("best", "tell the best trial")
    logs = verb("logs", "print what a trial has written")
    logs.add_argument("--trial", type=int, help="its number; by default the best trial's")
    logs.add_argument("--stderr", action="store_true", help="the other log")
    verb("export", "print a sweep as a job file (YAML)")
    for name in _STEERING:
        verb(name, f"{name} a sweep")
    download = verb("download", "bring what the best trial, or NAME_NUMBER, has stored")
    download.add_argument("--output-name", help="only the folder of this name")
    download.add_argument("--all", action="store_true", help="the logs too")
    download.add_argument("--download-path", default=".", metavar="FOLDER")
    return top


def main(arguments: list[str], client: MLClient | None = None) -> int:
    """Do what the verb says; the exit code."""
    given = parser().parse_args(arguments)
    try:
        if client is not None:
            return _VERBS[given.verb](client, given) or 0
        with MLClient(given.url, token=given.token, workspace=given.workspace) as own:
            return _VERBS[given.verb](own, given) or 0
    except StreamInterrupted as error:
        return _tell(error, INTERRUPTED)
    except JobPaused as error:
        return _tell(error, PAUSED)
    except (StudioError, OSError) as error:
        return _tell(error, FAILED)


def _tell(error: Exception, code: int) -> int:
    print(error, file=sys.stderr)
    return code


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _answer(given: argparse.Namespace, raw: Any, lines: Iterable[str]) -> None:
    """The answer as JSON or in words."""
    _print([json.dumps(raw, indent=2)] if given.json else lines)


def _submit(studio: MLClient, given: argparse.Namespace) -> int:
    job = studio.create_or_update(given.subject)
    for note in job.notes:
        print(note, file=sys.stderr)
    if not given.json:
        print(job.name, flush=True)
    elif not given.watch:
        print(json.dumps(job.raw, indent=2))
    return _followed(studio, job.name, given, job.studio_url) if given.watch else 0


def _watch(studio: MLClient, given: argparse.Namespace) -> int:
    return _followed(studio, given.subject, given, "")


def _followed(studio: MLClient, name: str, given: argparse.Namespace, page: str) -> int:
    if page:
        print(f"See it at {page}", file=sys.stderr)
    try:
        job = studio.jobs.stream(name, out=sys.stderr)
    except JobException as error:
        if error.job is not None:
            _answer(given, error.job.raw, sweep_lines(error.job))
        raise
    _answer(given, job.raw, sweep_lines(job))
    return 0 if job.status == "Completed" else FAILED


def _list(studio: MLClient, given: argparse.Namespace) -> None:
    jobs = list(studio.jobs.list(status=given.status))
    lines = (f"{job.name:<32}  {job.status:<9}  {words(job)}" for job in jobs)
    _answer(given, [job.raw for job in jobs], lines)


def _show(studio: MLClient, given: argparse.Namespace) -> None:
    found = studio.jobs.get(given.subject)
    lines = sweep_lines(found) if isinstance(found, Job) else trial_lines([found.raw])
    _answer(given, found.raw, lines)


def _trials(studio: MLClient, given: argparse.Namespace) -> None:
    found = studio.jobs.list(parent_job_name=given.subject, status=given.status)
    rows = [trial.raw for trial in found]
    _answer(given, rows, trial_lines(rows))


def _best(studio: MLClient, given: argparse.Namespace) -> int:
    job = _sweep(studio, given)
    if job.best_trial is None:
        print(f"{job.name} has no best trial yet.", file=sys.stderr)
        return FAILED
    _answer(given, job.best_trial, [best_line(job)])
    return 0


def _logs(studio: MLClient, given: argparse.Namespace) -> int:
    number = given.trial
    if number is None:
        best = _sweep(studio, given).best_trial
        if best is None:
            print("There is no best trial yet; say which by --trial.", file=sys.stderr)
            return FAILED
        number = best["number"]
    stream = "stderr" if given.stderr else "stdout"
    for part in studio.jobs.logs(given.subject, number, stream):
        print(part, end="")
    return 0


def _export(studio: MLClient, given: argparse.Namespace) -> None:
    print(studio.jobs.spec(given.subject), end="")


def _steer(studio: MLClient, given: argparse.Namespace) -> None:
    job = getattr(studio.jobs, given.verb)(given.subject)
    _answer(given, job.raw, sweep_lines(job))


def _download(studio: MLClient, given: argparse.Namespace) -> None:
    written = studio.jobs.download(
        given.subject,
        download_path=given.download_path,
        output_name=given.output_name,
        all=given.all,
    )
    _answer(given, [str(path) for path in written], (str(path) for path in written))


def _sweep(studio: MLClient, given: argparse.Namespace) -> Job:
    found = studio.jobs.get(given.subject)
    if not isinstance(found, Job):
        raise StudioError(f"{given.subject} is a trial; name its sweep.")
    return found


_VERBS: dict[str, Callable[[MLClient, argparse.Namespace], int | None]] = {
    "submit": _submit,
    "list": _list,
    "show": _show,
    "watch": _watch,
    "trials": _trials,
    "best": _best,
    "logs": _logs,
    "export": _export,
    "download": _download,
    **dict.fromkeys(_STEERING, _steer),
}
