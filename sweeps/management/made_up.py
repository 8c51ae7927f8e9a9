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
from sweeps.domain.objective import Goal
from sweeps.domain.problems import InvalidInput
from sweeps.management.local import LocalJobs, operator, shaped, told
from sweeps.models import Trial
from sweeps.queries.clock import database_now
from sweeps.queries.lanes import most_at_once
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
    "diverged": "how many log NaN or infinity, every second one nothing else",
    "decades": "how many powers of ten the loss spans; 0: it hardly differs",
    "seed": "the same seed gives the same trials",
}
_SWITCHES = {
    "nested": "add a choice with parameters of its own",
    "constant": "add a parameter with a single value",
    "long_names": "add a parameter with a long name and long values",
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
    goals = [goal.value for goal in Goal]
    parser.add_argument("--goal", choices=goals, default=usual.goal.value, help="of the sweep")
    for name, text in _SWITCHES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)


def run(jobs: Jobs, given: Namespace, terminal: Terminal) -> None:
    """Write it and print its name."""
    workspace = cast(LocalJobs, jobs).workspace
    try:
        made = MadeUp(
            **{name: getattr(given, name) for name in (*_COUNTS, *_SWITCHES)},
            goal=Goal(given.goal),
        )
        compute = _compute(workspace)
        sweep = synthesize(
            workspace,
            made,
            compute=compute,
            user=operator(),
            now=database_now(),
            rng=random.SystemRandom(),
        )
    except InvalidInput as error:
        raise told(error) from error
    _widen(compute)
    answer(given, terminal, shaped(shapes.SweepOut, shapes.sweep_out(sweep)), [sweep.name])


def _compute(workspace: Workspace) -> Compute:
    """One of their own: they take no slot from real trials and stand in none of their lanes."""
    found = workspace.computes.filter(name=COMPUTE).first()
    if found is None:
        text = "For made-up sweeps: nothing runs here."
        found = Compute(workspace=workspace, name=COMPUTE, description=text)
        save_compute(found, is_default=False)
    return found


def _widen(compute: Compute) -> None:
    """As many slots as its trials seem to have taken at once, so that each stands in one."""
    taken = Trial.objects.active().filter(sweep__compute=compute).count()
    at_once = max(taken, most_at_once(compute, database_now()))
    compute.slots = min(max(compute.slots, at_once), 1000)
    save_compute(compute, is_default=False)
