"""Who acts: the person behind what this thread is doing, and from where.

A middleware sets it for requests, commands for themselves. The engine and the queue have none:
what they do is in the logs of the sweeps.
"""

import getpass
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest

from studio.peers import client_address

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Origin(StrEnum):
    """By which way somebody came."""

    BROWSER = "browser"
    REST = "REST"
    TRACKING = "tracking"
    COMMAND = "command line"


@dataclass(slots=True)
class Actor:
    """`person` gives the account once it is known, None before; `address` an IP address, or the
    operating system's account of a command."""

    origin: Origin
    person: Callable[[], Any]
    address: Callable[[], str] = str
    token_hint: str = ""
    request_id: str = ""

    def by_token(self, user: Any, hint: str) -> None:
        """A token says whose request it is."""
        self.person, self.token_hint = lambda: user, hint


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor | None:
    """Who acts; None for the studio itself, and for scripts of trials."""
    return _current.get()


@contextmanager
def acting(actor: Actor | None) -> Iterator[None]:
    """Within, `actor` acts; None: nobody."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


def nobody() -> None:
    """The rest of this request is a script's, not a person's."""
    _current.set(None)


def of_request(request: HttpRequest) -> Actor:
    """Who a request is from; a token may say so later."""
    origin = Origin.BROWSER
    for prefix, other in (("/api/", Origin.REST), ("/tracking/", Origin.TRACKING)):
        origin = other if request.path_info.startswith(prefix) else origin
    wanted = request.headers.get("X-Request-ID", "")
    return Actor(
        origin,
        lambda: _signed_in(request) if origin is Origin.BROWSER else None,
        lambda: client_address(request)[:64],
        request_id=wanted if _REQUEST_ID.fullmatch(wanted) else "",
    )


def _signed_in(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def of_command() -> Actor:
    """Whoever runs a command of `manage.py` on this machine."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = ""
    return Actor(Origin.COMMAND, lambda: None, lambda: account[:64])
