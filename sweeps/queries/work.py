"""What the engine derives from rows: everything that still has to happen."""

from datetime import datetime

from django.db.models import Q

from sweeps.domain.states import Desired, TrialStatus
from sweeps.models import Attempt, OutboxEntry, Sweep, Trial


def running_attempts() -> list[Attempt]:
    """Attempts whose command was started and has no result yet."""
    attempts = Attempt.objects.open().exclude(handle="")
    return list(attempts.select_related("trial__sweep__compute"))


def unstarted_attempts(now: datetime) -> list[Attempt]:
    """Claimed attempts whose command never started and whose lease ran out."""
    stale = Attempt.objects.open().filter(handle="", lease_expires_at__lt=now)
    return list(stale.select_related("trial__sweep"))


def startable_trials(now: datetime) -> list[int]:
    """Ids of queued trials whose time has come, oldest sweep first."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    wanted = {"desired": Desired.RUN, "sweep__desired": Desired.RUN}
    queued = Trial.objects.filter(due, status=TrialStatus.QUEUED, **wanted)
    return list(queued.order_by("sweep__created_at", "number").values_list("pk", flat=True))


def unwanted_trials() -> list[Trial]:
    """Queued trials that somebody cancelled, or whose sweep is ended, while they changed hands."""
    ending = Q(sweep__desired__in=(Desired.STOP, Desired.CANCEL))
    queued = Trial.objects.filter(~Q(desired=Desired.RUN) | ending, status=TrialStatus.QUEUED)
    return list(queued.select_related("sweep"))


def live_sweeps() -> list[int]:
    """Ids of sweeps that may still need planning, oldest first."""
    return list(Sweep.objects.live().order_by("created_at").values_list("pk", flat=True))


def unclosed_attempts() -> list[int]:
    """Ids of ended attempts whose MLflow run is still open."""
    return list(Attempt.objects.unclosed().values_list("pk", flat=True))


def unclosed_sweeps() -> list[int]:
    """Ids of ended sweeps whose MLflow parent run is still open."""
    ended = Sweep.objects.filter(ended_at__isnull=False, run_closed=False).exclude(run_id="")
    return list(ended.values_list("pk", flat=True))


def runs_with_outbox() -> list[str]:
    """Run ids that have entries waiting for MLflow."""
    return list(OutboxEntry.objects.order_by().values_list("run_id", flat=True).distinct())


def open_attempts_exist() -> bool:
    """True while any attempt has no result."""
    return Attempt.objects.open().exists()
