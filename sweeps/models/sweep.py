"""Sweep jobs."""

import uuid
from typing import Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from studio.models import Compute, Role, User, Workspace
from sweeps.domain.job import LoggedModels
from sweeps.domain.limits import MAX_CONCURRENT_TRIALS, MAX_TOTAL_TRIALS
from sweeps.domain.objective import Goal
from sweeps.domain.states import LIVE_SWEEP, Desired, PausedBy, SweepStatus
from sweeps.models.code import CodeSnapshot
from sweeps.models.environment import EnvironmentBuild

# The experiment of jobs that name none.
DEFAULT_EXPERIMENT = "Default"


def new_uid() -> str:
    """A name that no other sweep has, anywhere."""
    return uuid.uuid4().hex


def one_of(field: str, values: type, name: str) -> models.CheckConstraint:
    """A constraint that keeps `field` among the values of an enumeration."""
    allowed = [str(value) for value in values]  # type: ignore[attr-defined]
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": allowed}), name=name)


class SweepQuerySet(models.QuerySet["Sweep"]):
    """Every read of sweeps starts here."""

    def allowed(self, user: User, role: Role = Role.READER) -> Self:
        """Sweeps of workspaces where `user` has at least `role`."""
        return self.kept().filter(workspace__in=Workspace.objects.allowed(user, role))

    def live(self) -> Self:
        """Sweeps that may still start or watch trials."""
        return self.filter(status__in=LIVE_SWEEP)

    def kept(self) -> Self:
        """Without those whose deletion has begun."""
        return self.filter(deleted_at=None)

    def with_build_states(self) -> Self:
        """With how far their environments are built, not with what is in these."""
        long = ("recipe", "packages", "notes")
        rows = self.select_related("environment_build")
        return rows.defer(*(f"environment_build__{name}" for name in long))

    def real(self) -> Self:
        """Without dry runs, which belong to the form that started them."""
        return self.kept().filter(is_dry_run=False)


class Sweep(models.Model):
    """Command + search space + sampling + objective + limits, and its trials.

    The parts that the engine decides on are columns; the rest of the job document (inputs,
    outputs, tags, …) is JSON as in the job file. `revision` grows with every change that a page
    could show, in the transaction of that change.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="sweeps")
    # What names the sweep outside this database (folders, MLflow tags), where a primary key would
    # come again in another database on the same home.
    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    name = models.CharField(max_length=255)
    display_name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    experiment_name = models.CharField(max_length=255)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)

    status = models.CharField(max_length=16, default=SweepStatus.QUEUED.value)
    desired = models.CharField(max_length=16, default=Desired.RUN.value)
    reason = models.TextField(blank=True)
    revision = models.BigIntegerField(default=0)

    # As the job called it, which may be no compute of ours; "" where it named none.
    asked_compute = models.TextField(blank=True)
    compute = models.ForeignKey(Compute, models.PROTECT, related_name="sweeps")
    code = models.ForeignKey(CodeSnapshot, models.PROTECT, null=True, related_name="sweeps")
    # The code's repository when the sweep was submitted, as in CodeSnapshot.
    git = models.JSONField(default=dict, blank=True)
    command = models.TextField()
    search_space = models.JSONField()
    sampling = models.JSONField()
    seed = models.BigIntegerField()
    primary_metric = models.CharField(max_length=250)
    goal = models.CharField(max_length=8)
    inputs = models.JSONField(default=dict, blank=True)
    outputs = models.JSONField(default=dict, blank=True)
    environment = models.JSONField(null=True, blank=True)
    # What `environment` meant when the sweep was submitted: one that is built, or a program; and
    # what people call it.
    environment_build = models.ForeignKey(
        EnvironmentBuild, models.PROTECT, null=True, related_name="sweeps"
    )
    interpreter = models.CharField(max_length=1024, blank=True)
    # Lines of requirements that machines install by themselves for which nothing is built here.
    packages = models.JSONField(default=list, blank=True)
    environment_name = models.CharField(max_length=255, blank=True)
    environment_variables = models.JSONField(default=dict, blank=True)
    early_termination = models.JSONField(null=True, blank=True)
    # What ends the sweep early, and what failures do to it: as in the job, defaults left out.
    stop_rules = models.JSONField(default=dict, blank=True)
    failure_policy = models.JSONField(default=dict, blank=True)
    # Whose logged models are kept.
    logged_models = models.CharField(max_length=8, default=LoggedModels.ALL.value)
    first_trials = models.JSONField(default=list, blank=True)
    # Trials of earlier sweeps that its sampler knows: {"params", "value"} each.
    warm_start = models.JSONField(default=list, blank=True)
    # False: each trial starts in a fresh interpreter, whatever its compute does.
    preload = models.BooleanField(default=True)

    max_total_trials = models.PositiveIntegerField()
    max_concurrent_trials = models.PositiveIntegerField()
    timeout_s = models.PositiveIntegerField()
    trial_timeout_s = models.PositiveIntegerField(null=True, blank=True)

    # Trial rows made so far = the number of the next trial; the planner's compare-and-set.
    planned = models.PositiveIntegerField(default=0)
    # Its newest attempt: of sweeps that hold as many slots, the one with the oldest comes next.
    turn = models.BigIntegerField(default=0)
    # Set when the sampler has no further point to offer.
    exhausted = models.BooleanField(default=False)
    is_dry_run = models.BooleanField(default=False)
    # What the request that made it called itself: sent twice, it makes one sweep.
    ticket = models.CharField(max_length=64, blank=True)
    # Who paused it decides who may resume it: what the disk paused goes on by itself.
    paused_by = models.CharField(max_length=16, blank=True)
    # Failures before this moment are forgiven: somebody looked and resumed.
    failures_from = models.DateTimeField(null=True, blank=True)

    experiment_id = models.CharField(max_length=64, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    run_closed = models.BooleanField(default=False)

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    # From when the timeout counts: the start, or a later re-run of one of its trials.
    timed_from = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Somebody deleted it; its rows go in batches, so that no writer waits for all of them.
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="sweep_name_once"),
            models.UniqueConstraint(
                fields=["workspace", "ticket"],
                condition=~models.Q(ticket=""),
                name="sweep_ticket_once",
            ),
            one_of("status", SweepStatus, "sweep_status_known"),
            one_of("desired", Desired, "sweep_desired_known"),
            one_of("goal", Goal, "sweep_goal_known"),
            models.CheckConstraint(
                condition=models.Q(paused_by__in=["", *map(str, PausedBy)]),
                name="sweep_paused_by_known",
            ),
            models.CheckConstraint(
                condition=models.Q(max_total_trials__gte=1, max_total_trials__lte=MAX_TOTAL_TRIALS),
                name="sweep_total_range",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    max_concurrent_trials__gte=1, max_concurrent_trials__lte=MAX_CONCURRENT_TRIALS
                ),
                name="sweep_concurrent_range",
            ),
            models.CheckConstraint(
                condition=models.Q(timeout_s__gte=1)
                & (models.Q(trial_timeout_s=None) | models.Q(trial_timeout_s__gte=1)),
                name="sweep_timeouts_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="sweep_newest"),
            models.Index(fields=["status"], name="sweep_by_status"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.name

    def get_absolute_url(self) -> str:
        return reverse("sweep", args=[self.workspace.name, self.name])
