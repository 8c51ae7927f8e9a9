"""How trials share slots: which one each is drawn in, and how many were busy over time."""

import heapq
from collections.abc import Sequence

import numpy as np

from sweeps.domain.board import Floats, Ints


def pack(starts: Sequence[float], ends: Sequence[float]) -> list[int]:
    """A lane from 0 for each span, the lowest that is free when it starts.

    Spans come in the order of their starts; so few lanes as can be are used.
    """
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    lanes: list[int] = []
    for start, end in zip(starts, ends, strict=True):
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, lane))
        lanes.append(lane)
    return lanes


def peak(starts: Floats, ends: Floats) -> int:
    """The most spans that overlap at one moment."""
    moments = np.concatenate([starts, ends])
    changes = np.concatenate([np.ones(len(starts)), -np.ones(len(ends))])
    # At the same moment ends come first.
    order = np.lexsort((changes, moments))
    return int(np.cumsum(changes[order]).max(initial=0))


def busy(starts: Floats, ends: Floats, edges: Floats) -> Floats:
    """The mean number of overlapping spans between each two neighbours of `edges`."""
    spent = _spent(starts, edges) - _spent(ends, edges)
    return np.asarray(np.diff(spent) / np.diff(edges), dtype=np.float64)


def _spent(moments: Floats, edges: Floats) -> Floats:
    """For each edge the sum of how long ago all earlier moments were."""
    known = np.sort(moments)
    sums = np.concatenate([[0.0], np.cumsum(known)])
    earlier: Ints = np.searchsorted(known, edges, side="right")
    return np.asarray(earlier * edges - sums[earlier], dtype=np.float64)
