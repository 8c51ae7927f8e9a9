"""Channels: whom a workspace tells."""

import base64
import secrets
from datetime import datetime

from django.db import transaction

from studio import audit
from sweeps.domain.notices import ChannelKind
from sweeps.models import Channel, Delivery

SECRET_PREFIX = "whsec_"  # noqa: S105 - how all begin


def new_signing_secret() -> str:
    """256 random bits, written as the Standard Webhooks libraries read them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def create_channel(channel: Channel) -> str:
    """Save a checked new channel; its signing secret, to be shown once, "" if it needs none."""
    channel.secret = new_signing_secret() if channel.kind == ChannelKind.WEBHOOK else ""
    with transaction.atomic():
        channel.save(force_insert=True)
        _note("created", channel, _differing(None, channel))
    return channel.secret


def save_channel(channel: Channel, now: datetime) -> None:
    """Save a checked change. What waits for a channel that is turned off is given up."""
    with transaction.atomic():
        before = Channel.objects.filter(pk=channel.pk).first()
        channel.save()
        if changes := _differing(before, channel):
            _note("changed", channel, changes)
        if not channel.is_on:
            waiting = channel.deliveries.filter(state=Delivery.WAITING)
            answer = "The channel was turned off."
            waiting.update(state=Delivery.FAILED, answer=answer, ended_at=now)


def renew_secret(channel: Channel) -> str:
    """A new signing secret for a webhook, to be shown once; the old one signs no more."""
    channel.secret = new_signing_secret()
    with transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(secret=channel.secret)
        _note("renewed the secret of", channel)
    return channel.secret


def delete_channel(channel: Channel) -> None:
    """Nothing more is told there, what waits neither."""
    with transaction.atomic():
        _note("deleted", channel)
        channel.delete()


SAID = ("name", "kind", "shown_address", "on_ended", "on_broken", "on_best", "is_on")


def _differing(before: Channel | None, after: Channel) -> audit.Changes:
    """Addresses without what may be a secret in them; that another one came is said."""
    own = audit.of(before, *SAID) if before else {}
    changes = audit.differing(own, audit.of(after, *SAID))
    if before and before.address != after.address:
        changes = {**changes, "address": (audit.HIDDEN, f"{audit.HIDDEN} changed")}
    return changes


def _note(verb: str, channel: Channel, changes: audit.Changes | None = None) -> None:
    audit.note(verb, "channel", channel.name, workspace=channel.workspace_id, changes=changes)
