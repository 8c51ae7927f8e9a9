"""Bringing the outbox to MLflow: in order within a run, in batches, by one forwarder at a time."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sweeps.engine.holders import acquire, me
from sweeps.engine.tracking import tracking
from sweeps.models import OutboxEntry
from sweeps.queries.clock import database_now
from sweeps.services import leases, metrics
from sweeps.tracking.client import (
    METRICS_PER_BATCH,
    PARAMS_PER_BATCH,
    TAGS_PER_BATCH,
    Tracking,
    TrackingRejected,
)

log = logging.getLogger(__name__)

LEASE_S = 10.0
# A worker of the queue is at it for so long, and leaves the rest to the next that comes.
ENOUGH_S = 0.4
# Sending a batch may take many requests, of 5 s at worst each.
RENEW_S = 3.0
_CAPS = {"metrics": METRICS_PER_BATCH, "params": PARAMS_PER_BATCH, "tags": TAGS_PER_BATCH}
# MLflow's limit for metrics, params and tags together.
_CAP_ALL = 1000
# Characters of a request, as MLflow's own client has it; one entry may have more.
_CAP_TEXT = 1_000_000

Clock = Callable[[], datetime]


@dataclass
class Along:
    """What may go with the last values of a run, to save a request; says whether it did.

    `body` is one of log-batch; of its params go those that the run does not have yet.
    """

    body: dict[str, Any]
    taken: bool = False


# Sends one log-batch body. Raises TrackingRejected, TrackingUnavailable, LeaseLost.
Post = Callable[[dict[str, Any]], None]


class LeaseLost(Exception):
    """Another forwarder has the run: sending on would mix up the order."""


def forward(
    run_id: str,
    clock: Clock = database_now,
    client: Tracking | None = None,
    until: int | None = None,
    along: Along | None = None,
    end: float = math.inf,
) -> bool:
    """Send everything that waits for the run; False if something is left, or another is at it.

    `until` is the id of an entry after which to stop, `end` the moment of the monotonic clock
    after which no further request is begun. Raises TrackingUnavailable when MLflow does not
    answer: the entries stay and keep their order.
    """
    name = f"forward:{run_id}"
    owner = me()
    if not acquire(name, owner, clock(), LEASE_S):
        return False
    post = _posting(client or tracking(), lambda: acquire(name, owner, clock(), LEASE_S))
    try:
        while entries := metrics.next_batch(run_id):
            last = len(entries) < metrics.BATCH or (until is not None and entries[-1].pk >= until)
            for group in groups(entries):
                if not (last and along and group[-1] is entries[-1]):
                    _send(post, run_id, group)
                else:
                    _send_with(post, run_id, group, along)
                metrics.delivered(group)
                if time.monotonic() > end:
                    return last and group[-1] is entries[-1]
            if last:
                break
    except LeaseLost:
        return False
    finally:
        leases.release(name, owner)
    return True


def _posting(client: Tracking, renew: Callable[[], bool]) -> Post:
    """Sends as `client` does, and renews the lease in between."""
    due = time.monotonic() + RENEW_S

    def post(body: dict[str, Any]) -> None:
        nonlocal due
        if time.monotonic() >= due:
            if not renew():
                raise LeaseLost
            due = time.monotonic() + RENEW_S
        client.send_batch(body)

    return post


def drain(run_id: str, deadline_s: float = ENOUGH_S, *, along: Along | None = None) -> bool:
    """Wait until MLflow has everything logged before the call; False if it took longer than that.

    Raises TrackingUnavailable when MLflow does not answer.
    """
    end = time.monotonic() + deadline_s
    waiting = OutboxEntry.objects.filter(run_id=run_id)
    newest = metrics.newest_waiting(run_id)
    # Up to there: a script that goes on logging must not keep the reader waiting.
    while newest is not None and not forward(run_id, until=newest, along=along, end=end):
        if not waiting.filter(id__lte=newest).exists():
            return True  # Another forwarder, who holds the run, has brought it.
        if time.monotonic() > end:
            return False
        time.sleep(0.02)  # It needs a few ms per batch.
    return True


def groups(entries: list[OutboxEntry]) -> Iterator[list[OutboxEntry]]:
    """Consecutive entries whose merged body stays within MLflow's limits."""
    group: list[OutboxEntry] = []
    sizes, text = dict.fromkeys(_CAPS, 0), 0
    for entry in entries:
        own, own_text = {key: len(entry.body.get(key, ())) for key in _CAPS}, _text_of(entry.body)
        more = {key: sizes[key] + own[key] for key in _CAPS}
        text += own_text
        if group and (
            any(more[key] > cap for key, cap in _CAPS.items())
            or sum(more.values()) > _CAP_ALL
            or text > _CAP_TEXT
        ):
            yield group
            group, more, text = [], own, own_text
        group.append(entry)
        sizes = more
    if group:
        yield group


def _text_of(body: dict[str, Any]) -> int:
    """Characters of a body's texts."""
    items = [item for key in _CAPS for item in body.get(key, ())]
    return sum(len(text) for item in items for text in item.values() if isinstance(text, str))


def merged(run_id: str, group: list[OutboxEntry]) -> dict[str, Any]:
    """One log-batch body for several entries, in their order."""
    body: dict[str, Any] = {"run_id": run_id}
    for key in _CAPS:
        items = [item for entry in group for item in entry.body.get(key, ())]
        if key == "tags":  # MLflow would store any one of several values; the last one counts.
            items = list({item["key"]: item for item in items}.values())
        if items:
            body[key] = items
    return body


def _send(post: Post, run_id: str, group: list[OutboxEntry]) -> None:
    """Send a group; when MLflow refuses it, find the entry that is to blame and drop only that."""
    try:
        post(merged(run_id, group))
    except TrackingRejected as refusal:
        if len(group) == 1:
            items = [(key, item) for key in _CAPS for item in group[0].body.get(key, ())]
            _send_halves(post, run_id, items, refusal)
            return
        middle = len(group) // 2  # One to blame among many is found by few requests.
        _send(post, run_id, group[:middle])
        _send(post, run_id, group[middle:])


def _send_with(post: Post, run_id: str, group: list[OutboxEntry], along: Along) -> None:
    """Send a group together with what may go along; by itself if they do not fit or please."""
    named = {item["key"] for entry in group for item in entry.body.get("params", ())}
    missing = [item for item in along.body["params"] if item["key"] not in named]
    body = {**along.body, "params": missing}
    both = [*group, OutboxEntry(run_id=run_id, body=body)]
    if len(list(groups(both))) == 1:
        try:
            post(merged(run_id, both))
        except TrackingRejected as refusal:
            # A param has another value already, say. What is to blame is found by itself.
            log.info("run %s is closed in several requests: %s", run_id, refusal.message)
        else:
            along.taken = True
            return
    _send(post, run_id, group)


def _send_halves(
    post: Post, run_id: str, items: list[tuple[str, Any]], refusal: TrackingRejected
) -> None:
    """Send values that were refused together, but for those to blame: MLflow refuses all for one
    param of another value."""
    if len(items) <= 1:
        log.warning("MLflow refused a value of run %s: %s", run_id, refusal.message)
        return
    middle = len(items) // 2
    for half in (items[:middle], items[middle:]):
        body: dict[str, Any] = {"run_id": run_id}
        for key, item in half:
            body.setdefault(key, []).append(item)
        try:
            post(body)
        except TrackingRejected as narrower:
            _send_halves(post, run_id, half, narrower)
