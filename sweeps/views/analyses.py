"""What a chart needs from the queue: asked for when somebody looks, drawn when it is there."""

from typing import NamedTuple

from sweeps import tasks
from sweeps.figures.ask import Ask
from sweeps.figures.registry import Kind
from sweeps.models import Sweep
from sweeps.queries.analyses import is_due, latest
from sweeps.queries.clock import database_now
from sweeps.services import analyses

# How soon a page asks again for what is being worked out.
AGAIN_MS = 1500


class State(NamedTuple):
    """What a chart draws besides its sweep: the revision of the analysis behind it, when to look
    for a newer one (0: no need), and the chart's own stamp."""

    revision: int = -1
    again_ms: int = 0
    stamp: str = ""


def state_of(kind: Kind, asked: Ask) -> State:
    """The state of what the chart needs; wakes the queue where it is time."""
    stamp = kind.stamp(asked) if kind.stamp else ""
    needed = kind.needs(asked) if kind.needs else ""
    if not needed:
        return State(stamp=stamp)
    found = latest(asked.sweep, needed)
    is_coming = work_out(asked.sweep, needed)
    return State(found.revision if found else -1, AGAIN_MS if is_coming else 0, stamp)


def work_out(sweep: Sweep, needed: str) -> bool:
    """True if an answer, or a newer one, is on its way; wakes the queue where it is time."""
    now = database_now()
    if not is_due(sweep, latest(sweep, needed), now):
        return False
    if analyses.ask(sweep, needed, now):
        tasks.analyse(sweep.pk)
    return True
