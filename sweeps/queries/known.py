"""What samplers know of the trials of sweeps, kept between asks and brought up to date by revision.

Every change of a trial carries the sweep's next revision, and whoever makes one holds the sweep's
row until it is stored (as in queries/boards.py), so none can appear below a revision that was read.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.known import Known
from sweeps.domain.space import SearchSpace
from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.kept import Kept
from sweeps.queries.records import space_of, warm_records

# So many trials are kept in memory over all sweeps, about 0.7 kB each with ten parameters.
MOST_TRIALS = 300_000


@dataclass
class _Kept:
    """What is known of one sweep; `lock` lets one thread at a time learn and ask."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    space: SearchSpace | None = None
    known: Known | None = None
    revision: int = -1


def _weight(kept: _Kept) -> int:
    """In trials; 1 at least, for there may be any number of empty sweeps."""
    return 1 + (len(kept.known) if kept.known is not None else 0)


_kept = Kept(_Kept, _weight)


@contextmanager
def known_of(sweep: Sweep) -> Iterator[Known]:
    """What there is to know of the sweep's trials and of the earlier ones that it starts from.

    For the time of a `with`; what is not stored must be learned within `Known.supposing` alone.
    """
    kept = _kept.of(sweep)
    with kept.lock:
        yield _brought_up(sweep, kept)
    _kept.shrink(MOST_TRIALS)


def forget() -> None:
    """Drop everything that is kept."""
    _kept.forget()


def _brought_up(sweep: Sweep, kept: _Kept) -> Known:
    space = space_of(sweep)
    if kept.known is None or kept.space != space:
        kept.space, kept.revision = space, -1
        kept.known = Known.of(space, warm_records(sweep))
    changed = Trial.objects.filter(sweep=sweep, revision__gt=kept.revision).order_by("revision")
    rows = changed.values_list("revision", "number", "status", "params", "draw", "objective")
    for revision, number, status, params, draw, objective in rows.iterator(2_000):
        kept.known.learn(TrialRecord(number, TrialStatus(status), params, draw, objective))
        kept.revision = revision
    return kept.known
