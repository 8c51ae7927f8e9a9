"""Models that a sweep does not keep: which goes, and what became of it.

A model is first marked as going, under the sweep's lock, and from then on nobody can register it on
a page or by REST; then MLflow is asked whether a program has, and only then it is deleted.
"""

from django.db import transaction

from sweeps.models import LoggedModel
from sweeps.queries.pruning import is_registered, is_unwanted
from sweeps.services.registry import news
from sweeps.services.state import lock


def let_go(model_id: int) -> LoggedModel | None:
    """The model with this primary key, marked as going; None if it stays (or is gone)."""
    rows = LoggedModel.objects.select_related("attempt__trial__sweep__workspace")
    with transaction.atomic():
        found = rows.filter(pk=model_id).first()
        if found is None:
            return None
        lock(found.attempt.trial.sweep_id)
        row = rows.get(pk=model_id)
        if row.fate == LoggedModel.GOING:
            return row
        if row.fate != LoggedModel.OPEN or not is_unwanted(row):
            return None
        if is_registered(row):
            _mark(row, LoggedModel.HELD)
            return None
        _mark(row, LoggedModel.GOING)
        news(row.attempt.trial)
    return row


def hold(row: LoggedModel) -> None:
    """It was registered by a program after all: it stays."""
    with transaction.atomic():
        _mark(row, LoggedModel.HELD)
        news(row.attempt.trial)


def mark_gone(row: LoggedModel) -> None:
    """MLflow does not have it any more."""
    _mark(row, LoggedModel.GONE)


def _mark(row: LoggedModel, fate: str) -> None:
    LoggedModel.objects.filter(pk=row.pk).update(fate=fate)
    row.fate = fate
