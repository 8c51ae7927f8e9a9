"""Whom to tell of what happens to sweeps, and what has been told."""

import uuid

from django.db import models
from django.utils import timezone

from studio.models import Workspace
from studio.models.secret import SealedCharField
from sweeps.domain.notices import ChannelKind, Event, masked
from sweeps.models.sweep import Sweep, one_of


def new_notice_id() -> str:
    """A name that no other notice has: receivers know by it what they have seen."""
    return f"msg_{uuid.uuid4().hex}"


class Channel(models.Model):
    """An address that is told of the sweeps of a workspace.

    `secret` signs what goes to a webhook. Who knows the address of a chat room may write there, so
    both are sealed.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channels")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16)
    address = SealedCharField(max_length=2000)
    secret = SealedCharField(max_length=120, blank=True)
    on_ended = models.BooleanField(default=True)
    on_broken = models.BooleanField(default=True)
    on_best = models.BooleanField(default=False)
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [one_of("kind", ChannelKind, "channel_kind_known")]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_address(self) -> str:
        """The address without what may be a secret in it."""
        return masked(self.kind, self.address)


class Delivery(models.Model):
    """The outbox: one event on its way to one channel, written where the event is.

    `payload` is the whole notice, so that nothing that happens later changes it. `due_at` is when
    the next try is due; of one that is being sent, when its sender is taken for dead. `since` is
    when trying began.
    """

    WAITING, SENDING, SENT, FAILED = "waiting", "sending", "sent", "failed"

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    uid = models.CharField(max_length=40, unique=True, default=new_notice_id)
    sweep = models.ForeignKey(Sweep, models.SET_NULL, null=True, related_name="+")
    event = models.CharField(max_length=32)
    payload = models.JSONField()
    state = models.CharField(max_length=8, default="waiting")
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    since = models.DateTimeField()
    # What the receiver said, or why it could not be told.
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            one_of("event", Event, "delivery_event_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending", "sent", "failed"]),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["channel", "-created_at"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel}"
