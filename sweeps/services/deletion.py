"""Deleting sweeps: at once for everybody who looks, in batches for the database."""

from datetime import datetime

from django.db import transaction

from studio import audit
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus
from sweeps.models import MetricPoint, Sweep, Trial
from sweeps.services.state import lock

# Rows of one transaction: some 50 ms of writing.
BATCH = 5_000
_TRIALS = 200


def delete_sweep(sweep: Sweep, now: datetime) -> None:
    """Take an ended sweep out of the studio, with its trials and what they logged.

    Its name is free again at once. Its runs in MLflow stay. Raises InvalidInput, code "conflict",
    while it is alive or its MLflow runs are still being closed.
    """
    with transaction.atomic():
        lock(sweep.pk)
        found = Sweep.objects.kept().get(pk=sweep.pk)
        if not SweepStatus(found.status).is_final or found.trials.active().exists():
            raise InvalidInput.conflict(
                f"The sweep is {found.status}: only ended sweeps can be deleted. Cancel it first."
            )
        if found.run_id and not found.run_closed:
            raise InvalidInput.conflict(
                "The sweep has just ended and its MLflow runs are being closed; try again soon."
            )
        Sweep.objects.filter(pk=sweep.pk).update(deleted_at=now, name=f"deleted {found.uid}")
        gone = {"display_name": (found.display_name, None), "trials": (found.planned, None)}
        audit.note("deleted", "sweep", found.name, workspace=found.workspace_id, changes=gone)
    purge()


def purge() -> None:
    """Delete the rows of all deleted sweeps: also of those at which somebody was interrupted."""
    for sweep in Sweep.objects.filter(deleted_at__isnull=False):
        while _batch(MetricPoint.objects.filter(attempt__trial__sweep=sweep), BATCH):
            pass
        while _batch(Trial.objects.filter(sweep=sweep), _TRIALS):
            pass
        sweep.delete()


def _batch(rows: object, most: int) -> int:
    """Delete so many rows; how many there were."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:most])  # type: ignore[attr-defined]
    if keys:
        rows.model.objects.filter(pk__in=keys).delete()  # type: ignore[attr-defined]
    return len(keys)
