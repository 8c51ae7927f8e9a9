"""Where the trials of a sweep stood at one report: what early termination compares."""

from collections.abc import Collection

from django.db.models import F

from sweeps.domain.states import TrialStatus
from sweeps.domain.termination.base import Standing
from sweeps.models import MetricPoint, Trial

# A trial that crashed after a lucky report sets no standard for the others, neither while it waits
# for its next try.
NO_STANDARD = (TrialStatus.FAILED, TrialStatus.LOST, TrialStatus.QUEUED)


def standings(
    trial: Trial, metric: str, reports: Collection[int]
) -> dict[int, tuple[Standing, ...]]:
    """By report: the other trials of `trial`'s sweep at that many values.

    Those with fewer reports are left out; of several attempts the newest counts.
    """
    rows = MetricPoint.objects.filter(
        name=metric,
        report__in=reports,
        attempt__trial__sweep=trial.sweep_id,
        attempt__number=F("attempt__trial__attempt"),
    )
    rows = rows.exclude(attempt__trial__status__in=NO_STANDARD).exclude(attempt__trial=trial.pk)
    found: dict[int, list[Standing]] = {report: [] for report in reports}
    fields = ("report", "attempt__trial__number", "best", "mean")
    for report, *standing in rows.order_by().values_list(*fields):
        found[report].append(Standing(*standing))
    return {report: tuple(others) for report, others in found.items()}
