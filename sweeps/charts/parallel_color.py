"""How strong the lines of parallel coordinates are: by the sweep's goal, or by another value."""

from typing import NamedTuple

import numpy as np

from sweeps.charts.axes import AxisInfo
from sweeps.charts.parallel_axes import column_places
from sweeps.charts.scales import numeric_scale, prefers_log
from sweeps.domain.board import Column, Floats
from sweeps.domain.objective import Goal


class Coloring(NamedTuple):
    """A column to colour by: a parameter's (then `name` is that of its axis) or a metric's."""

    name: str
    column: Column | Floats


def goal_strengths(values: Floats, axis: AxisInfo, goal: Goal) -> Floats:
    """From 0 (worst) to 1 (best), NaN without a value.

    Half rank, half place on the objective's `axis`: a crowded top still separates.
    """
    strengths = np.full(len(values), np.nan)
    valued = ~np.isnan(values)
    if not valued.any():
        return strengths
    different, ranks = np.unique(values[valued], return_inverse=True)
    alone = len(different) == 1
    by_rank = np.ones(len(ranks)) if alone else ranks / (len(different) - 1)
    by_value = axis.scale.places(values[valued])
    if goal is Goal.MINIMIZE:
        by_rank = by_rank if alone else 1 - by_rank
        by_value = 1 - by_value
    strengths[valued] = (by_rank + by_value) / 2
    return strengths


def column_strengths(column: Column | Floats, axis: AxisInfo | None, count: int) -> Floats:
    """From 0 (lowest, or none) to 1 (highest): the place on the column's own axis."""
    if isinstance(column, Column):
        places = column_places(axis, column, count) if axis else np.zeros(count)
    else:
        known = column[np.isfinite(column)]
        ends = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        places = numeric_scale(*ends, log=prefers_log(ends)).places(column)
    return np.asarray(np.nan_to_num(places, nan=0.0), dtype=np.float64)
