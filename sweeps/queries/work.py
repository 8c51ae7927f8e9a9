"""What the engine derives from rows: everything that still has to happen."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from studio.models import Compute
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.states import ACTIVE_TRIAL, Desired, PausedBy, TrialStatus
from sweeps.models import Attempt, OutboxEntry, Sweep, Trial
from sweeps.queries.prepared import Prepared
from sweeps.queries.slots import shares

# What one look hands to the queue: more would only wait there, and the next look finds the rest.
_MOST = 100

# Looked at several times a second: parameters and commands stay where they are.
_LOOKED_AT = (
    "number", "handle", "spool", "started_at", "stop_sent_at", "time_limit_s",
    "trial__status", "trial__desired", "trial__reason", "trial__sweep__trial_timeout_s",
    "trial__sweep__compute__kind", "trial__sweep__compute__settings",
)  # fmt: skip


@Prepared
def _running() -> QuerySet[Attempt, Attempt]:
    attempts = Attempt.objects.open().exclude(handle="").order_by()
    return attempts.select_related("trial__sweep__compute").only(*_LOOKED_AT)


def running_attempts() -> list[Attempt]:
    """Attempts whose command was started and has no result yet."""
    return _running()


def claims_until(moment: datetime) -> list[Attempt]:
    """Claimed attempts whose command has not started and whose lease ends before `moment`."""
    return _claims_until(moment)


@Prepared
def _claims_until(moment: Any) -> QuerySet[Attempt, Attempt]:
    claims = Attempt.objects.open().filter(handle="", lease_expires_at__lt=moment)
    return claims.order_by().only("pk", "lease_owner", "lease_expires_at")[:_MOST]


def startable_trials(now: datetime) -> list[int]:
    """Ids of queued trials that free slots go to.

    By sweep as many as its share, so that the backlog of one never hides the others.
    """
    return [pk for compute in _wanted_computes() for pk in _startable(*compute, now)][:_MOST]


@Prepared
def _wanted_computes() -> QuerySet[Compute, tuple[int, int]]:
    queued = Trial.objects.filter(status=TrialStatus.QUEUED, sweep__desired=Desired.RUN)
    computes = Compute.objects.filter(sweeps__trials__in=queued).distinct()
    return computes.values_list("pk", "slots")


def _startable(compute_id: int, slots: int, now: datetime) -> list[int]:
    given = shares(compute_id, slots, now).given
    return [pk for sweep, share in given.items() if share for pk in _due(sweep, now)[:share]]


@Prepared
def _due(sweep_id: Any, now: Any) -> QuerySet[Trial, int]:
    """Queued trials of a sweep that has its MLflow run, in their order."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    wanted = {"desired": Desired.RUN, "status": TrialStatus.QUEUED, "sweep": sweep_id}
    queued = Trial.objects.filter(due, **wanted).exclude(sweep__run_id="")
    return queued.order_by("number").values_list("pk", flat=True)[:_MOST]


def next_startable(sweep_id: int, now: datetime) -> list[int]:
    """Ids of the queued trials that free slots of the sweep's compute go to."""
    return [pk for compute in _compute_of(sweep_id) for pk in _startable(*compute, now)][:_MOST]


@Prepared
def _compute_of(sweep_id: Any) -> QuerySet[Sweep, tuple[int, int]]:
    return Sweep.objects.filter(pk=sweep_id).order_by().values_list("compute", "compute__slots")


@Prepared
def _queued(trial_id: Any) -> QuerySet[Trial, Any]:
    trials = Trial.objects.filter(pk=trial_id, status=TrialStatus.QUEUED).order_by()
    return trials.exclude(sweep__run_id="").values_list("pk", flat=True)


def is_queued(trial_id: int) -> bool:
    """True if the trial waits for its start, and its sweep has the MLflow run that a start needs.

    Only a glance, for wake-ups that come twice: what counts is what the claim sees.
    """
    return bool(_queued(trial_id))


def workspace_of(compute_id: int) -> int | None:
    """The id of a compute's workspace."""
    rows = Compute.objects.filter(pk=compute_id)
    return rows.values_list("workspace", flat=True).first()


def waits_on(trial_id: int) -> int | None:
    """The workspace for whose cluster a start of the trial may have to wait; None where trials are
    processes of this machine."""
    found = _compute_of_trial.first(trial_id)
    if found is None or KINDS[found[1]].is_here:
        return None
    return found[0]


@Prepared
def _compute_of_trial(trial_id: Any) -> QuerySet[Trial, tuple[int, str]]:
    rows = Trial.objects.filter(pk=trial_id).order_by()
    return rows.values_list("sweep__workspace", "sweep__compute__kind")


@Prepared
def _sweep_of(attempt_id: Any) -> QuerySet[Attempt, int]:
    return Attempt.objects.filter(pk=attempt_id).order_by().values_list("trial__sweep", flat=True)


def sweep_of(attempt_id: int) -> int | None:
    """The id of an attempt's sweep."""
    return _sweep_of.first(attempt_id)


def put_backs(attempt: Attempt) -> int:
    """How many earlier attempts of its trial came to nothing, and counted for nothing."""
    earlier = Attempt.objects.filter(trial=attempt.trial_id, outcome="put_back")
    return earlier.exclude(pk=attempt.pk).count()


def nobody_runs(trials: QuerySet[Trial]) -> QuerySet[Trial]:
    """Of active trials those without an attempt that could still end: made-up ones."""
    active = trials.filter(status__in=ACTIVE_TRIAL)
    return active.filter(~Exists(Attempt.objects.open().filter(trial=OuterRef("pk"))))


def unwanted_trials() -> list[Trial]:
    """Queued trials that somebody cancelled, or whose sweep is ended, while they changed hands."""
    return _unwanted()


@Prepared
def _unwanted() -> QuerySet[Trial, Trial]:
    ending = Q(sweep__desired__in=(Desired.STOP, Desired.CANCEL))
    queued = Trial.objects.filter(~Q(desired=Desired.RUN) | ending, status=TrialStatus.QUEUED)
    wishes = ("desired", "reason", "sweep__desired", "sweep__reason")
    return queued.select_related("sweep").only(*wishes)


class Live(NamedTuple):
    """Ids of live sweeps, oldest first: those that planning may take further, and the others."""

    due: list[int]
    quiet: list[int]


def live_sweeps(now: datetime) -> Live:
    """Which sweeps want planning: only a glance, as planning itself reads much more."""
    fields = (
        "pk", "compute", "run_id", "desired", "exhausted", "planned", "max_total_trials",
        "max_concurrent_trials", "timed_from", "timeout_s",
    )  # fmt: skip
    sweeps = Sweep.objects.live().order_by("created_at").values(*fields)
    taken = dict(_live_by_sweep()) if sweeps else {}
    free = dict(_slots()) if sweeps else {}
    for compute, count in _active_by_compute() if sweeps else ():
        free[compute] -= count
    found = Live([], [])
    for sweep in sweeps:
        due = _is_due(sweep, taken.get(sweep["pk"], 0), free[sweep["compute"]], now)
        (found.due if due else found.quiet).append(sweep["pk"])
    return found


@Prepared
def _live_by_sweep() -> QuerySet[Trial, Any]:
    return Trial.objects.live().order_by().values_list("sweep").annotate(n=Count("pk"))


@Prepared
def _active_by_compute() -> QuerySet[Trial, Any]:
    return Trial.objects.active().order_by().values_list("sweep__compute").annotate(n=Count("pk"))


@Prepared
def _slots() -> QuerySet[Compute, Any]:
    return Compute.objects.order_by().values_list("pk", "slots")


def _is_due(sweep: Mapping[str, Any], live: int, free: int, now: datetime) -> bool:
    if sweep["desired"] == Desired.PAUSE:
        return False
    if not sweep["run_id"] or not live or sweep["desired"] != Desired.RUN:
        return True  # To be opened, or to be ended.
    if sweep["timed_from"] and now >= sweep["timed_from"] + timedelta(seconds=sweep["timeout_s"]):
        return True
    wants = min(sweep["max_total_trials"] - sweep["planned"], sweep["max_concurrent_trials"] - live)
    return free > 0 and wants > 0 and not sweep["exhausted"]


@Prepared
def _live(sweep_id: Any) -> QuerySet[Trial, int]:
    trials = Trial.objects.live().filter(sweep=sweep_id).order_by()
    return trials.values_list("pk", flat=True)[:1]


def any_live(sweep_id: int) -> bool:
    """True while a trial of the sweep has no final result."""
    return bool(_live(sweep_id))


def unclosed_attempts() -> list[int]:
    """Ids of ended attempts whose MLflow run is still open."""
    return _unclosed_attempts()


@Prepared
def _unclosed_attempts() -> QuerySet[Attempt, int]:
    return Attempt.objects.unclosed().order_by("ended_at").values_list("pk", flat=True)[:_MOST]


def unclosed_sweeps() -> list[int]:
    """Ids of ended sweeps whose MLflow parent run is still open."""
    return _unclosed_sweeps()


@Prepared
def _unclosed_sweeps() -> QuerySet[Sweep, int]:
    ended = Sweep.objects.filter(ended_at__isnull=False, run_closed=False).exclude(run_id="")
    return ended.values_list("pk", flat=True)[:_MOST]


def runs_with_outbox() -> list[str]:
    """Run ids that have entries waiting for MLflow."""
    return _runs_with_outbox()


@Prepared
def _runs_with_outbox() -> QuerySet[OutboxEntry, str]:
    waiting = OutboxEntry.objects.order_by().values_list("run_id", flat=True)
    return waiting.distinct()[:_MOST]


def open_attempts_exist() -> bool:
    """True while any attempt has no result."""
    return Attempt.objects.open().exists()


def going_sweeps() -> list[Sweep]:
    """Live sweeps that may start trials."""
    return list(Sweep.objects.live().filter(desired=Desired.RUN))


def paused_by(whom: PausedBy) -> list[Sweep]:
    """Sweeps that this one paused and nobody else."""
    return list(Sweep.objects.live().filter(desired=Desired.PAUSE, paused_by=whom))
