"""Trials that a cluster has: handed in, waiting there, begun."""

from datetime import datetime

from django.db import transaction

from sweeps.domain.started import UNKNOWN, How
from sweeps.domain.states import Desired, TrialStatus
from sweeps.models import Attempt, Trial
from sweeps.queries import own_trial
from sweeps.services import rows
from sweeps.services.state import bump, lock, move_trial


def record(attempt: Attempt, handle: str, how: How = UNKNOWN) -> bool:
    """Remember that a cluster has it, which decides when it begins; False if it was given up."""
    with transaction.atomic():
        trial = _locked(attempt)
        unstarted = {"pk": attempt.pk, "ended_at": None, "handle": ""}
        changes = {"handle": handle, "lease_expires_at": None, **how.changes()}
        if not rows.update(Attempt, unstarted, **changes):
            return False
        mine = {"pk": trial.pk, "attempt": attempt.number, "status": TrialStatus.STARTING}
        return bool(rows.update(Trial, mine, run_id=attempt.run_id, revision=bump(trial.sweep_id)))


def begin(attempt: Attempt, began: datetime) -> bool:
    """Remember that the cluster has begun with it; False if it is past that."""
    with transaction.atomic():
        trial = _locked(attempt)
        rows.update(Attempt, {"pk": attempt.pk, "ended_at": None}, started_at=began)
        attempt.started_at = began
        if trial.status != TrialStatus.STARTING:
            return False
        return move_trial(
            trial,
            TrialStatus.RUNNING,
            began,
            reason=trial.reason if trial.desired != Desired.RUN else "",
            attempt=attempt.number,
            started_at=began,
        )


def wait(attempt: Attempt, words: str) -> bool:
    """Tell why the cluster has not begun with it, in its own words; False if that is known."""
    with transaction.atomic():
        trial = _locked(attempt)
        mine = Trial.objects.filter(
            pk=attempt.trial_id, attempt=attempt.number, status=TrialStatus.STARTING,
            desired=Desired.RUN,
        ).exclude(reason=words)  # fmt: skip
        return bool(mine.update(reason=words, revision=bump(trial.sweep_id)))


def _locked(attempt: Attempt) -> Trial:
    """The trial as it stands, and stays until the transaction ends."""
    lock(Trial.objects.values_list("sweep_id", flat=True).get(pk=attempt.trial_id))
    trial = own_trial.to_move.first(attempt.trial_id)
    assert trial is not None, "attempts go with their trial"
    return trial
