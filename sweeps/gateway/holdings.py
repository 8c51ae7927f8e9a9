"""What one run, experiment or model may hold in all, as MLflow tells it in one piece.

MLflow bounds each call, and nothing bounds how many there are: 26 data sets of 4 MB each make
every look at the run cost a GB. What each call adds is counted here, which is more than there is
(a tag may be set again and again); so before the count would refuse, MLflow is asked.
"""

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import V2

# Characters of JSON in which MLflow may have to tell a thing.
MOST = 4 * 2**20
# What is added without a look at what is there, at first and at most.
LIGHT, _UNSEEN = 32 * 2**10, 256 * 2**10
# What is full is looked at again after so long.
_FULL_S = 5.0
# Things that are remembered; what comes again after that counts anew from LIGHT.
_KEPT = 20_000
_REGISTERED = V2 + "registered-models/get"


@dataclass(frozen=True, slots=True)
class Thing:
    """What holds something: the request by which MLflow tells all of it."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def is_run(self) -> bool:
        return self.path == V2 + "runs/get"

    @property
    def only_grows(self) -> bool:
        """Values of a logged model come on top of each other, and some are still on their way."""
        return self.path.startswith(f"{V2}logged-models/")

    @property
    def is_registered(self) -> bool:
        """A registered model may get another's name, so that nothing is known by names."""
        return self.path == _REGISTERED


def run(run_id: str) -> Thing:
    return Thing(V2 + "runs/get", (("run_id", run_id),))


def experiment(experiment_id: str) -> Thing:
    """MLflow takes 7, 07 and 007 for the same."""
    experiment_id = str(int(experiment_id)) if experiment_id.isdecimal() else experiment_id
    return Thing(V2 + "experiments/get", (("experiment_id", experiment_id),))


def logged_model(model_id: str) -> Thing:
    """With every value that was logged for it: of these MLflow tells all."""
    return Thing(f"{V2}logged-models/{model_id}")


def registered_model(name: str) -> Thing:
    """With all of its versions, which MLflow reads whenever it reads the model."""
    return Thing(_REGISTERED, (("name", name),))


@dataclass(slots=True)
class _Held:
    """Characters when MLflow was asked, what has been added since, and what is being added, in the
    order in which it came."""

    seen: int = 0
    since: int = 0
    coming: dict[int, int] = field(default_factory=dict)
    full_until: float = 0.0
    was_seen: bool = False

    def size(self, turn: int) -> int:
        """With what came up to this turn: what comes later has to look out for itself."""
        return self.seen + self.since + sum(n for of, n in self.coming.items() if of <= turn)

    def is_sure(self, turn: int) -> bool:
        """True if it may be so much without a look."""
        size = self.size(turn)
        return size <= MOST and size - self.seen <= max(LIGHT, min(self.seen, _UNSEEN))


class Holdings:
    """Counts by thing. `measure` asks MLflow how many characters a thing has."""

    def __init__(self, measure: Callable[[Thing], int]) -> None:
        self._measure = measure
        self._lock = threading.Lock()
        self._turns = itertools.count()
        self._of: OrderedDict[Thing, _Held] = OrderedDict()

    @contextmanager
    def adding(self, thing: Thing, more: int) -> Iterator[int]:
        """While the thing gets so many characters more; gives how many it may have by then.

        Raises Refusal (413) if it would have more than MOST, and TrackingUnavailable if MLflow had
        to be asked whether. What others are adding counts from before, so that of calls at the same
        time as many find room as fit.
        """
        held = self._held(thing)
        with self._lock:
            turn = next(self._turns)
            held.coming[turn] = more
            sure, size = held.is_sure(turn), held.size(turn)
        added = 0
        try:
            yield size if sure and not thing.is_registered else self._look(thing, held, turn)
            added = more
        finally:
            with self._lock:
                held.since += added
                del held.coming[turn]

    def count(self, thing: Thing, more: int) -> int:
        """It has got so many characters, which are bounded elsewhere; returns how many it may
        have."""
        held = self._held(thing)
        with self._lock:
            held.since += more
            return held.seen + held.since

    def is_full(self, thing: Thing) -> bool:
        """True if it has as much as it may, by what is known."""
        held = self._held(thing)
        return held.seen + held.since >= MOST

    def _held(self, thing: Thing) -> _Held:
        with self._lock:
            held = self._of.setdefault(thing, _Held())
            self._of.move_to_end(thing)
            while len(self._of) > _KEPT:
                self._of.popitem(last=False)
            return held

    def _look(self, thing: Thing, held: _Held, turn: int) -> int:
        """Ask what is there. Raises Refusal if that and what is coming are too much."""
        now = time.monotonic()
        if thing.is_registered or (held.full_until < now and not self._is_known(thing, held)):
            self._see(thing, held, turn)
        with self._lock:
            size = held.size(turn)
            if size > MOST and held.full_until < now:
                held.full_until = now + _FULL_S
        if size > MOST:
            raise _full(thing)
        return size

    def _see(self, thing: Thing, held: _Held, turn: int) -> None:
        before = 0 if thing.only_grows else held.since
        try:
            seen = self._measure(thing)
        except TrackingUnavailable:
            with self._lock:
                is_too_much = held.size(turn) > MOST
            if is_too_much:
                raise
            return  # it may be less than is known, and is no more
        with self._lock:
            held.seen, held.since = seen, max(0, held.since - before)
            held.was_seen = True

    @staticmethod
    def _is_known(thing: Thing, held: _Held) -> bool:
        return thing.only_grows and held.was_seen


def _full(thing: Thing) -> Refusal:
    what = "A run" if thing.is_run else "This"
    text = (
        f"{what} can hold {MOST / 2**20:,.0f} MiB of tags, parameters and data sets in all, and "
        "this would be more. Log large texts as artifacts (mlflow.log_text, mlflow.log_dict)."
    )
    return Refusal(413, "RESOURCE_EXHAUSTED", text)
