"""What every sender takes, and how it says that it did not work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice on its way: `uid` names it at every try, `at` is now; `payload` as in the docs.

    With `private` hosts of the studio's own network may be asked.
    """

    uid: str
    address: str
    secret: str
    payload: Mapping[str, Any]
    at: datetime
    private: bool = False


class NotSent(Exception):
    """It did not work, `str()` says why; with `again` a later try may.

    `asked_s` is for how many seconds the receiver asked to be left alone.
    """

    def __init__(self, text: str, *, again: bool = True, asked_s: float | None = None) -> None:
        super().__init__(text)
        self.again, self.asked_s = again, asked_s


# Sends, and says in a few words what the receiver answered. Raises NotSent.
Sender = Callable[[Parcel], str]
