"""Who holds the slots of a compute."""

from datetime import datetime

from django.db.models import Q

from sweeps.domain.states import ACTIVE_TRIAL, Desired, TrialStatus


def taking(now: datetime) -> Q:
    """Trials that hold a slot, or will as soon as the queue gets to them.

    Not those of a paused sweep, nor those that wait before their next try.
    """
    due = Q(not_before=None) | Q(not_before__lte=now)
    queued = Q(status=TrialStatus.QUEUED, desired=Desired.RUN, sweep__desired=Desired.RUN) & due
    return queued | Q(status__in=ACTIVE_TRIAL)
