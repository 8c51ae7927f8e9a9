"""What the test of a compute shows besides where its commands run on a cluster."""

import time
from collections.abc import Callable
from typing import Any, cast

from studio.models import Compute
from sweeps.domain.computes.kinds import KINDS
from sweeps.engine.places import place_of
from sweeps.runners.base import Cluster, Runner, RunnerError, Running
from sweeps.runners.registry import get_runner

# So long the command may wait for its place; the cluster may be full all day.
PENDING_S = 60.0
_LOOK_S = 0.1

Step = dict[str, Any]


def cluster_step(compute: Compute) -> Step:
    """Whether the engine answers, and with what."""
    title = KINDS[compute.kind].title
    try:
        found = cast(Cluster, get_runner(*place_of(compute))).overview()
    except RunnerError as error:
        return {"name": title, "ok": False, "detail": str(error)}
    groups = len({group.name for group in found.groups})
    detail = f"{found.version}, {_count(groups, KINDS[compute.kind].parts)}"
    return {"name": title, "ok": True, "detail": detail}


def _count(number: int, noun: str) -> str:
    word, _, rest = noun.partition(" ")
    return f"{number} {word}{'' if number == 1 else 's'} {rest}".strip()


def waited(runner: Runner, handle: str, report: Callable[[Step], None]) -> Step:
    """Wait until the cluster begins with the command, telling why it does not; give up in time."""
    began, told = time.monotonic(), ""
    while isinstance(event := runner.poll([handle])[0], Running):
        if not event.waits and event.pid is not None:
            break
        if event.waits and event.waits != told:
            told = event.waits
            report({"name": "Queue", "ok": None, "detail": told})
        if time.monotonic() - began > PENDING_S:
            runner.stop(handle, grace_s=0, reason="The test waited long enough.")
            text = f"It still waits after {PENDING_S:.0f} s. A trial would go on waiting. {told}"
            return {"name": "Queue", "ok": False, "detail": text}
        time.sleep(_LOOK_S)
    took = time.monotonic() - began
    return {"name": "Queue", "ok": True, "detail": f"began after {took:.1f} s"}
