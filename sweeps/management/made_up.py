"""`manage.py sweep synthesize`: a made-up sweep, for demonstrations and benchmarks."""

import random
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import cast

from studio.models import Compute, Workspace
from studio.services import save_compute
from sweeps.api import shapes
from sweeps.client.verbs import Jobs, Terminal, answer
from sweeps.domain.made_up import MadeUp
from sweeps.domain.problems import InvalidInput
from sweeps.management.local import LocalJobs, operator, shaped, told
from sweeps.models import Trial
from sweeps.queries.clock import database_now
from sweeps.queries.computes import resolve_compute
from sweeps.services.made_up import synthesize

NAME = "synthesize"
COMPUTE = "made-up"
_COUNTS = {
    "trials": "how many trials in all",
    "params": "parameters of the search space",
    "metrics": "metrics that each trial logs",
    "points": "values of each metric",
    "running": "how many trials still run",
    "failed": "how many failed",
    "seed": "the same seed gives the same trials",
}


def add_verb(verb: Callable[..., ArgumentParser]) -> None:
    """Add `synthesize` with its options."""
    parser = verb(NAME, "write a made-up sweep; no command runs", "")
    usual = MadeUp(trials=1)
    for name, text in _COUNTS.items():
        default = getattr(usual, name)
        said = text if name == "trials" else f"{text} ({default})"
        needed = name == "trials"
        parser.add_argument(
            f"--{name}", type=int, metavar="N", required=needed, default=default, help=said
        )


def run(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    """Write it and print its name."""
    workspace = cast(LocalJobs, jobs).workspace
    try:
        made = MadeUp(**{name: getattr(given, name) for name in _COUNTS})
        sweep = synthesize(
            workspace,
            made,
            compute=_compute(workspace, made.running),
            user=operator(),
            now=database_now(),
            rng=random.SystemRandom(),
        )
    except InvalidInput as error:
        raise told(error) from error
    answer(given, terminal, shaped(shapes.SweepOut, shapes.sweep_out(sweep)), [sweep.name])


def _compute(workspace: Workspace, running: int) -> Compute:
    """The default one; one of its own where trials seem to run, which would take its slots."""
    if not running:
        return resolve_compute(workspace, None, {})[0]
    text = "For made-up sweeps: nothing runs here."
    found = workspace.computes.filter(name=COMPUTE).first()
    found = found or Compute(workspace=workspace, name=COMPUTE, description=text)
    taken = Trial.objects.active().filter(sweep__compute=found.pk).count()
    found.slots = min(max(1, taken + running), 1000)
    save_compute(found, is_default=False)
    return found
