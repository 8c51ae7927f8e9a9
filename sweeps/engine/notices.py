"""Telling people: threads of the engine send what the outbox holds, at most one per channel.

Not the queue's work: a receiver that hangs would keep a worker from starting trials.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import connection

from sweeps.domain.notices import ChannelKind
from sweeps.engine.trouble import TROUBLE
from sweeps.models import Delivery
from sweeps.notify.base import NotSent, Parcel
from sweeps.notify.registry import SENDERS
from sweeps.queries.clock import database_now
from sweeps.queries.notices import due_deliveries
from sweeps.services import notices as services

log = logging.getLogger(__name__)

AT_ONCE = 4
_TIDY_S = 3600.0

Clock = Callable[[], datetime]


class Notices:
    """The threads of this engine."""

    def __init__(self) -> None:
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._tidied = time.monotonic()

    def look(self, now: datetime) -> None:
        """Begin to send what is due; to one channel one at a time, which keeps their order."""
        with self._lock:
            busy = set(self._busy)
        for delivery_id, channel_id in due_deliveries(now, busy):
            with self._lock:
                if channel_id in self._busy or len(self._busy) >= AT_ONCE:
                    continue
                self._busy.add(channel_id)
            work = (delivery_id, channel_id)
            # A daemon: an engine that is to end does not wait for somebody's server.
            threading.Thread(target=self._run, args=work, name="notice", daemon=True).start()
        if time.monotonic() - self._tidied > _TIDY_S:
            self._tidied = time.monotonic()
            services.forget_old(now)

    def _run(self, delivery_id: int, channel_id: int) -> None:
        try:
            deliver(delivery_id)
        except TROUBLE as error:
            log.warning("notice %s is tried again: %s", delivery_id, error)
        except Exception:
            log.exception("notice %s went wrong; it is tried again", delivery_id)
        finally:
            connection.close()
            with self._lock:
                self._busy.discard(channel_id)


def deliver(delivery_id: int, clock: Clock = database_now) -> None:
    """Send a delivery that is due, and write down what came of it; of archived workspaces nothing
    is sent any more.

    Who is killed in between sends it once more, under the same name. Raises the database's trouble.
    """
    delivery = services.claim(delivery_id, clock())
    if delivery is None:
        return
    if delivery.channel.workspace.archived_at is not None:
        services.put_off(delivery, "The workspace is archived.", clock(), again=False)
        return
    try:
        answer = _send(delivery, clock())
    except NotSent as error:
        log.info("notice %s was not sent: %s", delivery.uid, error)
        again, asked_s = error.again, error.asked_s
        services.put_off(delivery, str(error), clock(), again=again, asked_s=asked_s)
    except Exception as error:  # A fault of ours must end some day, too.
        log.exception("notice %s could not be sent", delivery.uid)
        services.put_off(delivery, f"The studio failed at it: {error!r}.", clock())
    else:
        services.mark_sent(delivery, answer, clock())


def _send(delivery: Delivery, now: datetime) -> str:
    channel = delivery.channel
    parcel = Parcel(
        uid=delivery.uid,
        address=channel.address,
        secret=channel.secret,
        payload=delivery.payload,
        at=now,
        private=settings.STUDIO_NOTIFY_PRIVATE,
    )
    return SENDERS[ChannelKind(channel.kind)](parcel)
