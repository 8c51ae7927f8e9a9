"""Trials and their attempts."""

from typing import Self

from django.db import models
from django.utils import timezone

from studio.models import Role, User
from sweeps.domain.states import (
    ACTIVE_TRIAL,
    LIVE_TRIAL,
    WINNING_TRIAL,
    Desired,
    TrialStatus,
)
from sweeps.models.sweep import Sweep, one_of


class TrialQuerySet(models.QuerySet["Trial"]):
    """Every read of trials."""

    def allowed(self, user: User, role: Role = Role.READER) -> Self:
        """Trials of sweeps that `user` may reach with at least `role`."""
        return self.filter(sweep__in=Sweep.objects.allowed(user, role))

    def active(self) -> Self:
        """Trials that take a slot."""
        return self.filter(status__in=ACTIVE_TRIAL)

    def live(self) -> Self:
        """Trials without a final result."""
        return self.filter(status__in=LIVE_TRIAL)

    def best_first(self, goal: str) -> Self:
        """Trials that can win, best objective first, the lower number first among equals."""
        order = "objective" if goal == "minimize" else "-objective"
        winners = self.filter(status__in=WINNING_TRIAL, objective__isnull=False)
        return winners.order_by(order, "number")


class Trial(models.Model):
    """One child run: a point of the search space and what came of it.

    `objective` is the best finite value of the primary metric over all its reports, None when
    there is none. Numbers of trials count from 0 within their sweep.
    """

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, default=TrialStatus.QUEUED.value)
    desired = models.CharField(max_length=16, default=Desired.RUN.value)
    reason = models.TextField(blank=True)
    revision = models.BigIntegerField(default=0)

    # What the script receives (nested), the same under dotted names, and what was sampled.
    params = models.JSONField(default=dict)
    flat_params = models.JSONField(default=dict)
    draw = models.JSONField(default=dict)

    objective = models.FloatField(null=True)
    last_value = models.FloatField(null=True)
    best_report = models.PositiveIntegerField(null=True)
    reports = models.PositiveIntegerField(default=0)

    # The newest attempt's number, 0 before the first; every write by an attempt is fenced by it.
    attempt = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    # Failures of the script's own that were tried again, as the sweep asks.
    failures = models.PositiveIntegerField(default=0)
    # What failed trials have in common: the same last line, exit code or signal.
    signature = models.CharField(max_length=300, blank=True)
    # Who chose the point, where no sampler drew it.
    picked_by = models.CharField(max_length=150, blank=True)
    # What the request that picked it called itself: sent twice, it makes one trial.
    ticket = models.CharField(max_length=64, blank=True)
    # What people note on it, as in `domain.marks`.
    pinned = models.BooleanField(default=False)
    tags = models.JSONField(default=list, blank=True)
    note = models.TextField(blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="trial_number_once"),
            models.UniqueConstraint(
                fields=["sweep", "ticket"],
                condition=~models.Q(ticket=""),
                name="trial_ticket_once",
            ),
            one_of("status", TrialStatus, "trial_status_known"),
            one_of("desired", Desired, "trial_desired_known"),
        ]
        indexes = [
            models.Index(fields=["sweep", "status"], name="trial_by_status"),
            models.Index(fields=["sweep", "objective", "number"], name="trial_by_objective"),
            models.Index(fields=["sweep", "revision"], name="trial_by_revision"),
            models.Index(fields=["status"], name="trial_all_by_status"),
            models.Index(fields=["sweep", "ended_at"], name="trial_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.sweep}_{self.number}"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Every read of attempts."""

    def open(self) -> Self:
        """Attempts without a result."""
        return self.filter(ended_at=None)

    def unclosed(self) -> Self:
        """Ended attempts whose MLflow run still has to be closed."""
        return self.filter(ended_at__isnull=False, run_closed=False)


class Attempt(models.Model):
    """One execution of a trial's command.

    A claim sets the lease with the attempt, so "claimed but never beat" cannot exist. `handle` is
    the runner's; "" until the command was started. `accepted` is True for the one attempt whose
    result the trial shows.
    """

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    spool = models.CharField(max_length=1024)
    handle = models.CharField(max_length=1024, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    token_digest = models.CharField(max_length=64, unique=True)

    run_id = models.CharField(max_length=64, blank=True, db_index=True)
    run_closed = models.BooleanField(default=False)
    run_status = models.CharField(max_length=16, blank=True)

    argv = models.JSONField(default=list)
    # Whether it was forked from a preloaded process; None where that is not known. `cold` says why
    # it was not.
    preloaded = models.BooleanField(null=True)
    cold = models.CharField(max_length=500, blank=True)
    # The limit that the runner was last told; the sweep's may have been edited since.
    time_limit_s = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    stop_sent_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=32, blank=True)
    accepted = models.BooleanField(default=False)
    exit_code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    peak_memory = models.BigIntegerField(null=True)
    # Of its folders for outputs: files and bytes that became artifacts, note on what did not.
    outputs = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    signature = models.CharField(max_length=300, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["trial", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["trial"], condition=models.Q(ended_at=None), name="attempt_one_open"
            ),
            models.UniqueConstraint(
                fields=["trial"], condition=models.Q(accepted=True), name="attempt_one_accepted"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(ended_at=None),
                name="attempt_open_lease",
            ),
            models.Index(
                fields=["ended_at"],
                condition=models.Q(run_closed=False),
                name="attempt_unclosed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial} attempt {self.number}"
