"""What people are told of their sweeps, over which channels, and how often a notice is tried."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sweeps.domain.addresses import is_public, literal
from sweeps.domain.states import PausedBy, SweepStatus


class ChannelKind(StrEnum):
    """How a channel is reached."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"


class Event(StrEnum):
    """What happened; stored and sent as `type`, so values may be added to, never renamed."""

    COMPLETED = "sweep.completed"
    CANCELED = "sweep.canceled"
    FAILED = "sweep.failed"
    PAUSED = "sweep.paused"
    NEW_BEST = "sweep.new_best"
    TEST = "test"


class Topic(StrEnum):
    """What a channel may ask to be told; the column `on_<topic>` of a channel."""

    ENDED = "ended"
    BROKEN = "broken"
    BEST = "best"


# A sweep that fails both ends and breaks: whoever asked for either is told, once.
TOPICS: Mapping[Event, tuple[Topic, ...]] = {
    Event.COMPLETED: (Topic.ENDED,),
    Event.CANCELED: (Topic.ENDED,),
    Event.FAILED: (Topic.ENDED, Topic.BROKEN),
    Event.PAUSED: (Topic.BROKEN,),
    Event.NEW_BEST: (Topic.BEST,),
}
_ENDS = {
    SweepStatus.COMPLETED: Event.COMPLETED,
    SweepStatus.CANCELED: Event.CANCELED,
    SweepStatus.FAILED: Event.FAILED,
}

# New bests of one sweep are told once in so long; the latest counts.
BEST_EVERY = timedelta(minutes=1)
# A notice is tried for so long.
GIVE_UP_AFTER = timedelta(hours=24)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10, 3600


def event_of(status: str, paused_by: str) -> Event | None:
    """What a sweep's new status tells people, None if they made it so themselves or it is none."""
    if status == SweepStatus.PAUSED and paused_by in (PausedBy.BREAKER, PausedBy.DISK):
        return Event.PAUSED
    return _ENDS.get(SweepStatus(status))


def wait_before(tries: int, asked_s: float | None = None) -> timedelta:
    """How long to wait after so many tries that failed: 10 s, 20 s, 40 s … an hour at most.

    `asked_s` is for how long the receiver asked to be left alone, if it did.
    """
    seconds = min(_FIRST_WAIT_S * 2 ** min(tries - 1, 20), _LONGEST_WAIT_S)
    return timedelta(seconds=max(seconds, min(asked_s or 0, _LONGEST_WAIT_S)))


def is_hopeless(event: str, since: datetime, next_try: datetime) -> bool:
    """True if that try comes too late to be of use; a test is tried once."""
    return event == Event.TEST or next_try - since > GIVE_UP_AFTER


def web_address_problem(url: str, *, private: bool) -> str | None:
    """Why a notice cannot go to this address, None if it can, as far as the address tells.

    With `private` hosts of the studio's own network may be told, too.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "This is no web address."
    if parts.scheme not in ("http", "https") or not host:
        return "Write a web address, beginning with https:// or http://."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "Write spaces and letters beyond ASCII percent-encoded."
    if parts.username or parts.password:
        return "Leave out user and password: the signature says who sends."
    address = literal(host)
    if not private and address is not None and not is_public(address):
        return (
            f"{host} is within the studio's own network, which notices do not reach. "
            "Whoever runs the studio can allow it: STUDIO_NOTIFY_PRIVATE."
        )
    return None


def masked(kind: str, address: str) -> str:
    """An address as it may be shown: paths of web addresses are often secrets."""
    if kind == ChannelKind.EMAIL:
        return address
    parts = urlsplit(address)
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{rest}"
