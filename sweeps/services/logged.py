"""What an attempt logged, as its verdict needs it."""

import math
from typing import Any

from django.db.models import QuerySet

from sweeps.domain.objective import Goal
from sweeps.domain.verdict import Logged
from sweeps.models import Attempt, MetricPoint, MetricSummary, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.prepared import Prepared


def logged_by(attempt: Attempt, metric: str) -> Logged:
    """What the attempt logged so far, of its primary metric and of others."""
    primary = _summary.first(attempt.pk, metric)
    if primary is None:
        points = MetricPoint.objects.filter(attempt=attempt).order_by()
        names = points.values_list("name", flat=True).distinct()
        return Logged(reports=0, has_finite=False, names=tuple(sorted(names)))
    return Logged(
        reports=primary.count,
        has_finite=primary.finite > 0,
        names=(metric,),
        last=_shown(from_columns(primary.last, primary.kind)),
    )


@Prepared
def _summary(attempt_id: Any, name: Any) -> QuerySet[MetricSummary, MetricSummary]:
    return MetricSummary.objects.filter(attempt=attempt_id, name=name).order_by()


def _shown(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:g}" if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def count_all(attempt: Attempt, trial: Trial) -> None:
    """The objective over all values: the order to stop came too late to cut any off."""
    primary = MetricPoint.objects.filter(attempt=attempt, name=trial.sweep.primary_metric)
    minimize = trial.sweep.goal == Goal.MINIMIZE
    best = primary.filter(value__isnull=False).order_by("value" if minimize else "-value", "report")
    found = best.first()
    assert found is not None, "it completed with a finite one"
    Trial.objects.filter(pk=trial.pk).update(
        objective=found.value,
        best_report=found.report,
    )
