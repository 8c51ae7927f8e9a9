"""How far trials stand from a baseline, report by report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sweeps.charts.metric_curves import CurvesInfo, TrialCurve, XAxis, build_curves_info
from sweeps.domain.objective import Objective
from sweeps.domain.records import MetricPoint


def build_gap_info(
    curves: Sequence[TrialCurve],
    metric: str,
    objective: Objective,
    *,
    baseline: int,
    x: XAxis = "report",
) -> CurvesInfo:
    """Curves of `metric` minus the baseline trial's value at the same report or step.

    Points that the baseline has no counterpart of are left out.
    """
    base = _values(next((c.points for c in curves if c.number == baseline), ()), x)
    gaps = [curve._replace(points=_minus(curve.points, base, x)) for curve in curves]
    info = build_curves_info(
        gaps,
        metric,
        objective,
        best=None,
        mode="selected",
        selected=[curve.number for curve in curves],
        x=x,
        scale="linear",
        own_colors=True,
    )
    note = f"{metric} minus #{baseline} at the same {x}"
    return info._replace(metric="gap", note=note)


def _values(points: Sequence[MetricPoint], x: XAxis) -> Mapping[int, float]:
    return {_at(point, x): point.value for point in points}


def _at(point: MetricPoint, x: XAxis) -> int:
    return point.report if x == "report" else point.step


def _minus(points: Sequence[MetricPoint], base: Mapping[int, float], x: XAxis) -> list[MetricPoint]:
    return [
        replace(point, value=point.value - base[_at(point, x)])
        for point in points
        if _at(point, x) in base
    ]
