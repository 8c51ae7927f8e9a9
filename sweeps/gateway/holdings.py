"""What one run, experiment or model may hold in all, as MLflow tells it in one piece.

MLflow bounds each call, and nothing bounds how many there are: 26 data sets of 4 MB each make
every look at the run cost a GB. What each call adds is counted here, which is more than there is
(a tag may be set again and again); so before the count would refuse, MLflow is asked.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import V2, Kind, Matched, Names

# Characters of JSON in which MLflow may have to tell a thing.
MOST = 4 * 2**20
# What is added without a look at what is there, at first and at most.
LIGHT, _UNSEEN = 32 * 2**10, 256 * 2**10
# What is full is looked at again after so long.
_FULL_S = 5.0
# Things that are remembered; what comes again after that counts anew from LIGHT.
_KEPT = 20_000

_GETS = {
    "registered-models": "registered-models/get",
    "model-versions": "model-versions/get",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What holds something: the request by which MLflow tells all of it."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def is_run(self) -> bool:
        return self.path == V2 + "runs/get"


def run(run_id: str) -> Thing:
    return Thing(V2 + "runs/get", (("run_id", run_id),))


def thing(
    matched: Matched, refs: Mapping[Names, tuple[str, ...]], body: Mapping[str, Any]
) -> Thing | None:
    """What a writing request adds to; None if it makes something new, or adds nothing."""
    kind, head = matched.route.kind, matched.path.removeprefix(V2).split("/")
    if not matched.route.writes or matched.path.endswith("/create"):
        return None
    if kind in (Kind.LOG, Kind.RUN_WRITE):
        return run(refs[Names.RUN][0])
    if kind is Kind.EXPERIMENT:
        return Thing(V2 + "experiments/get", (("experiment_id", refs[Names.EXPERIMENT][0]),))
    if kind is Kind.LOGGED_MODEL and "model_id" in matched.captured:
        return Thing(f"{V2}logged-models/{matched.captured['model_id']}")
    if kind is Kind.REGISTRY:
        query = [("name", refs[Names.REGISTERED_MODEL][0])]
        if head[0] == "model-versions":
            query.append(("version", str(body.get("version", ""))))
        return Thing(V2 + _GETS[head[0]], tuple(query))
    return None


@dataclass(slots=True)
class _Held:
    """Characters when MLflow was asked, and what has been added since."""

    seen: int = 0
    since: int = 0
    full_until: float = 0.0

    def is_sure(self, more: int) -> bool:
        """True if it may take so much without a look."""
        unseen = max(LIGHT, min(self.seen, _UNSEEN))
        return self.since + more <= unseen and self.seen + self.since + more <= MOST


class Holdings:
    """Counts by thing. `measure` asks MLflow how many characters a thing has."""

    def __init__(self, measure: Callable[[Thing], int]) -> None:
        self._measure = measure
        self._lock = threading.Lock()
        self._of: OrderedDict[Thing, _Held] = OrderedDict()

    def add(self, thing: Thing, more: int) -> int:
        """The thing gets so many characters more; returns how many it may have by then.

        Raises Refusal (413) if it would have more than MOST, and what `measure` raises.
        """
        held = self._held(thing)
        if not held.is_sure(more):
            self._look(thing, held, more)
        return self.count(thing, more)

    def count(self, thing: Thing, more: int) -> int:
        """The same for what is bounded elsewhere."""
        held = self._held(thing)
        with self._lock:
            held.since += more
            return held.seen + held.since

    def _held(self, thing: Thing) -> _Held:
        with self._lock:
            held = self._of.get(thing)
            if held is None:
                # A model may be renamed, and counted anew, as often as one likes.
                held = self._of[thing] = _Held(since=0 if thing.is_run else LIGHT)
            self._of.move_to_end(thing)
            while len(self._of) > _KEPT:
                self._of.popitem(last=False)
            return held

    def _look(self, thing: Thing, held: _Held, more: int) -> None:
        if held.full_until < time.monotonic():
            before = held.since
            seen = self._measure(thing)
            with self._lock:
                # What others have added meanwhile may have been seen or not: it counts.
                held.seen, held.since = seen, max(0, held.since - before)
        if held.seen + held.since + more > MOST:
            if held.full_until < time.monotonic():
                held.full_until = time.monotonic() + _FULL_S
            raise _full(thing)


def _full(thing: Thing) -> Refusal:
    what = "A run" if thing.is_run else "This"
    text = (
        f"{what} can hold {MOST / 2**20:,.0f} MiB of tags, parameters and data sets in all, and "
        "this would be more. Log large texts as artifacts (mlflow.log_text, mlflow.log_dict)."
    )
    return Refusal(413, "RESOURCE_EXHAUSTED", text)
