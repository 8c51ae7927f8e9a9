"""Where the trials of a sweep stood at one report: what early termination compares."""

from django.db.models import F

from sweeps.domain.states import TrialStatus
from sweeps.domain.termination.base import Standing
from sweeps.models import MetricPoint, Trial

# A trial that crashed after a lucky report sets no standard for the others.
NO_STANDARD = (TrialStatus.FAILED, TrialStatus.LOST)


def standings(trial: Trial, metric: str, report: int) -> tuple[Standing, ...]:
    """The other trials of `trial`'s sweep at their `report`-th value, by number.

    Those with fewer reports are left out; of several attempts the newest counts.
    """
    rows = MetricPoint.objects.filter(
        name=metric,
        report=report,
        attempt__trial__sweep=trial.sweep_id,
        attempt__number=F("attempt__trial__attempt"),
    )
    rows = rows.exclude(attempt__trial__status__in=NO_STANDARD).exclude(attempt__trial=trial.pk)
    fields = ("attempt__trial__number", "best", "mean")
    return tuple(Standing(*row) for row in rows.order_by(fields[0]).values_list(*fields))
