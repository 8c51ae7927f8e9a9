"""Fewer points of a curve that look the same: the lowest and highest of each bucket stay."""

from collections.abc import Sequence
from typing import TypeAlias

MAX_POINTS = 320
Point: TypeAlias = tuple[float, float | None]


def decimate(points: Sequence[Point], limit: int = MAX_POINTS) -> list[Point]:
    """At most `limit` (>= 4) of `points` in their order, extremes of value kept.

    The first and the last always stay; None (a gap) stays only when its bucket has nothing else.
    """
    if limit < 4:
        raise ValueError(f"limit must be at least 4, but got {limit}.")
    if len(points) <= limit:
        return list(points)
    inner = points[1:-1]
    buckets = (limit - 2) // 2
    kept = [points[0]]
    for k in range(buckets):
        bucket = inner[k * len(inner) // buckets : (k + 1) * len(inner) // buckets]
        kept.extend(_extremes(bucket))
    kept.append(points[-1])
    return kept


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    valued = [(point[1], i) for i, point in enumerate(bucket) if point[1] is not None]
    if not valued:
        return list(bucket[:1])
    lowest, highest = min(valued)[1], max(valued)[1]
    return [bucket[i] for i in sorted({lowest, highest})]
