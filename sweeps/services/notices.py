"""The outbox of notices: what happens to a sweep is written down where it happens, once for each
channel that wants it. Sending is the engine's, later, and never stands in a sweep's way.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from studio import audit
from sweeps.domain.notices import (
    BEST_EVERY,
    Event,
    event_of,
    is_hopeless,
    wait_before,
)
from sweeps.domain.states import WINNING_TRIAL
from sweeps.models import Channel, Delivery, Sweep, Trial
from sweeps.models.notice import new_notice_id
from sweeps.queries import notices as queries
from sweeps.queries.notice_payload import payload_of

log = logging.getLogger(__name__)

# A sender that says nothing for so long has died: the longest try is shorter.
LEASE = timedelta(seconds=90)
# How long what has been told stays to be looked at.
KEPT = timedelta(days=30)


# --- Writing down -------------------------------------------------------------------------------


def tell_of_status(sweep: Sweep, now: datetime) -> None:
    """The sweep has a new status: note it for those who want to know. In that transaction."""
    event = event_of(sweep.status, sweep.paused_by)
    if event is not None and (channels := queries.listeners(sweep.pk, event)):
        _note(sweep.pk, event, channels, now)


def tell_if_best(trial: Trial, now: datetime) -> None:
    """The trial has ended: note it if it is the best so far. In that transaction."""
    if trial.status not in WINNING_TRIAL:
        return
    channels = queries.listeners(trial.sweep_id, Event.NEW_BEST)
    if channels and queries.is_new_best(trial, trial.sweep.goal):
        _note(trial.sweep_id, Event.NEW_BEST, channels, now)


def _note(sweep_id: int, event: Event, channels: Sequence[Channel], now: datetime) -> None:
    """No fault in a notice may keep a sweep from its end: then there is none, and a line."""
    try:
        with transaction.atomic():
            payload = payload_of(Sweep.objects.get(pk=sweep_id), event, now)
            for channel in channels:
                if event is Event.NEW_BEST:
                    _replace_best(channel, sweep_id, payload, now)
                else:
                    _drop_best(channel, sweep_id, event)
                    _insert(channel, event, payload, now, sweep_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("nobody is told that %s of sweep %s", event, sweep_id)


def _insert(
    channel: Channel,
    event: Event,
    payload: dict[str, Any],
    now: datetime,
    sweep_id: int | None = None,
    due: datetime | None = None,
) -> Delivery:
    return Delivery.objects.create(
        channel=channel,
        sweep_id=sweep_id,
        event=event,
        payload=payload,
        due_at=due or now,
        since=now,
        created_at=now,
    )


def _waiting_best(channel: Channel, sweep_id: int) -> Any:
    return Delivery.objects.filter(
        channel=channel, sweep=sweep_id, event=Event.NEW_BEST, state=Delivery.WAITING
    )


def _replace_best(channel: Channel, sweep_id: int, payload: dict[str, Any], now: datetime) -> None:
    """What waits to be told of an earlier best is told of this one instead, at its time."""
    waiting = _waiting_best(channel, sweep_id)
    newest = waiting.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        newer = {"uid": new_notice_id(), "payload": payload, "created_at": now, "since": now}
        waiting.filter(pk=newest).update(**newer)
        waiting.exclude(pk=newest).delete()
        return
    last = queries.last_best(channel, sweep_id)
    # One that is being sent at this moment is told now.
    due = max(now, (last.ended_at or now) + BEST_EVERY) if last else now
    _insert(channel, Event.NEW_BEST, payload, now, sweep_id, due)


def _drop_best(channel: Channel, sweep_id: int, event: Event) -> None:
    """The end tells the best, too: what comes after it would be no news."""
    if event is not Event.PAUSED:
        _waiting_best(channel, sweep_id).delete()


def send_test(channel: Channel, by: str, now: datetime) -> Delivery:
    """A notice that says only that it works; tried once."""
    data = {
        "workspace": channel.workspace.name,
        "channel": channel.name,
        "by": by,
        "url": f"{settings.STUDIO_URL}{channel.workspace.get_absolute_url()}",
    }
    payload = {"type": Event.TEST.value, "timestamp": now.isoformat(), "data": data}
    with transaction.atomic():
        audit.note("tested", "channel", channel.name, workspace=channel.workspace_id)
        return _insert(channel, Event.TEST, payload, now)


# --- Sending ------------------------------------------------------------------------------------


def claim(delivery_id: int, now: datetime) -> Delivery | None:
    """Take a delivery that is due for sending; None if somebody else has, or it is over."""
    due = Delivery.objects.filter(
        pk=delivery_id, state__in=(Delivery.WAITING, Delivery.SENDING), due_at__lte=now
    )
    with transaction.atomic():
        found = due.select_for_update().first()
        if found is None:
            return None
        found.state, found.tries, found.due_at = Delivery.SENDING, found.tries + 1, now + LEASE
        found.save(update_fields=["state", "tries", "due_at"])
    return Delivery.objects.select_related("channel__workspace").get(pk=delivery_id)


def _sending(delivery: Delivery) -> Any:
    """The row, if this try is still the one that counts."""
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.SENDING, tries=delivery.tries)


def mark_sent(delivery: Delivery, answer: str, now: datetime) -> None:
    """It has been told."""
    _sending(delivery).update(state=Delivery.SENT, answer=answer, due_at=now, ended_at=now)


def put_off(
    delivery: Delivery,
    reason: str,
    now: datetime,
    *,
    again: bool = True,
    asked_s: float | None = None,
) -> None:
    """It could not be told: try again later, or give up when that is no use any more."""
    due = now + wait_before(delivery.tries, asked_s)
    if again and not is_hopeless(delivery.event, delivery.since, due):
        _sending(delivery).update(state=Delivery.WAITING, answer=reason, due_at=due)
        return
    _sending(delivery).update(state=Delivery.FAILED, answer=reason, due_at=now, ended_at=now)


def try_again(delivery: Delivery, now: datetime) -> bool:
    """Begin anew with one that was given up, or try at once one that waits; False if it is over."""
    open_ones = Delivery.objects.filter(
        pk=delivery.pk, state__in=(Delivery.FAILED, Delivery.WAITING)
    )
    anew = {"state": Delivery.WAITING, "tries": 0, "due_at": now, "since": now, "ended_at": None}
    with transaction.atomic():
        changed = bool(open_ones.update(**anew))
        if changed:
            channel = delivery.channel
            audit.note("told again", "channel", channel.name, workspace=channel.workspace_id)
    return changed


def forget_old(now: datetime) -> None:
    """Drop what was told, or given up, long ago."""
    over = Delivery.objects.filter(state__in=(Delivery.SENT, Delivery.FAILED))
    over.filter(ended_at__lt=now - KEPT).delete()
