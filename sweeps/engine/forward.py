"""Bringing the outbox to MLflow: in order within a run, in batches, by one forwarder at a time."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sweeps.domain.wording import cut
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
T = TypeVar("T")


@dataclass
class Along:
    """What may go with the last values of a run, to save a request; says whether it did.

    `body` is one of log-batch; of its params go those that the run does not have yet.
    """

    body: dict[str, Any]
    taken: bool = False


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
    way = _Way(client or tracking(), run_id, lambda: acquire(name, owner, clock(), LEASE_S), end)
    try:
        while entries := metrics.next_batch(run_id):
            last = len(entries) < metrics.BATCH or (until is not None and entries[-1].pk >= until)
            for group in groups(entries):
                mate = along if last and group[-1] is entries[-1] else None
                if not _send(way, group, mate):
                    return False
                if way.is_late:
                    return last and group[-1] is entries[-1]
            if last:
                break
    except LeaseLost:
        return False
    finally:
        leases.release(name, owner)
    return True


class _Way:
    """To MLflow, for the values of one run; the lease is renewed in between."""

    def __init__(
        self, client: Tracking, run_id: str, renew: Callable[[], bool], end: float
    ) -> None:
        self._client, self._renew, self._end = client, renew, end
        self._due = time.monotonic() + RENEW_S
        self.run_id = run_id

    @property
    def is_late(self) -> bool:
        """True once no further request is to begin."""
        return time.monotonic() > self._end

    def post(self, body: dict[str, Any]) -> None:
        """Send a log-batch body. Raises TrackingRejected, TrackingUnavailable, LeaseLost."""
        self._keep()
        self._client.send_batch(body)

    def params(self) -> dict[str, str] | None:
        """Those that the run has; None where it takes nothing, for it is gone."""
        self._keep()
        try:
            run = self._client.get_run(self.run_id)
        except TrackingRejected as refusal:
            return None if refusal.code == "RESOURCE_DOES_NOT_EXIST" else {}
        return run.params if run.lifecycle_stage == "active" else None

    def _keep(self) -> None:
        if time.monotonic() >= self._due:
            if not self._renew():
                raise LeaseLost
            self._due = time.monotonic() + RENEW_S


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


def _send(way: _Way, group: list[OutboxEntry], along: Along | None) -> bool:
    """Bring a group to MLflow, and drop it from the outbox; what MLflow refuses is only dropped.

    False if it took too long: the rest of it is left.
    """
    if along is None or not _send_with(way, group, along):
        try:
            way.post(merged(way.run_id, group))
        except TrackingRejected:
            return _send_without(way, group)
    metrics.delivered(group)
    return True


def _send_with(way: _Way, group: list[OutboxEntry], along: Along) -> bool:
    """Send a group together with what may go along; False if they do not fit or please."""
    named = {item["key"] for entry in group for item in entry.body.get("params", ())}
    missing = [item for item in along.body["params"] if item["key"] not in named]
    body = {**along.body, "params": missing}
    both = [*group, OutboxEntry(run_id=way.run_id, body=body)]
    if len(list(groups(both))) != 1:
        return False
    try:
        way.post(merged(way.run_id, both))
    except TrackingRejected as refusal:
        # A param has another value already, say. What is to blame is found by itself.
        log.info("run %s is closed in several requests: %s", way.run_id, cut(refusal.message))
        return False
    along.taken = True
    return True


def _send_without(way: _Way, group: list[OutboxEntry]) -> bool:
    """Send a group that was refused, but for what is to blame.

    That is mostly a param that has another value: which those are the run itself tells, however
    many. Only what is refused for another reason is looked for by requests.
    """
    known = way.params()
    if known is None:
        log.warning("what was logged to run %s is dropped: it is gone", way.run_id)
    else:
        left, first = _without(group, known)
        if first:
            log.warning("run %s has other values of params already, of %s say", way.run_id, first)
        try:
            if len(left) > 1:
                way.post(left)
        except TrackingRejected:
            return _send_halves(way, group, known)
    metrics.delivered(group)
    return True


def _without(group: list[OutboxEntry], known: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The body of a group without params that have another value, or the same, already; and the
    name of one that has another."""
    body, known, first = merged(group[0].run_id, group), dict(known), ""
    fresh = []
    for item in body.pop("params", ()):
        if item["key"] not in known:
            fresh.append(item)
        elif known[item["key"]] != item["value"]:
            first = first or cut(item["key"])
        known.setdefault(item["key"], item["value"])
    return body | ({"params": fresh} if fresh else {}), first


def _send_halves(way: _Way, group: list[OutboxEntry], known: dict[str, str]) -> bool:
    """Send a refused group but for what is refused by itself, which halving finds by few requests.

    False if it took too long: what was not settled stays in the outbox.
    """
    todo = [group]
    while todo:
        part = todo.pop()
        body, _ = _without(part, known)
        try:
            if len(body) > 1:
                way.post(body)
        except TrackingRejected as refusal:
            if len(part) > 1:
                todo += _halves(part)
                continue
            if left := _send_items(way, body, refusal):
                metrics.leave(part[0], left)
                return False
        metrics.delivered(part)
        if todo and way.is_late:
            return False
    return True


def _send_items(way: _Way, body: dict[str, Any], refusal: TrackingRejected) -> dict[str, Any]:
    """The same of the values of one refused body; what there was no time for is given back."""
    items = [(kind, item) for kind in _CAPS for item in body.get(kind, ())]
    todo, refused, why = _halves(items), int(len(items) == 1), refusal.message
    while todo:
        part = todo.pop()
        try:
            way.post(_body(way.run_id, part))
        except TrackingRejected as narrower:
            if len(part) > 1:
                todo += _halves(part)
                continue
            refused, why = refused + 1, narrower.message
        if way.is_late:
            break
    if refused:
        log.warning("MLflow refused %d values of run %s: %s", refused, way.run_id, cut(why))
    left = [pair for part in reversed(todo) for pair in part]
    return _body(way.run_id, left) if left else {}


def _halves(items: list[T]) -> list[list[T]]:
    """The second half, then the first, as a stack has them; nothing of a single one."""
    middle = len(items) // 2
    return [items[middle:], items[:middle]] if middle else []


def _body(run_id: str, items: list[tuple[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {"run_id": run_id}
    for kind, item in items:
        body.setdefault(kind, []).append(item)
    return body
