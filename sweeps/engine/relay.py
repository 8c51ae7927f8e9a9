"""The studio's desk for carriers of trials on other machines: which spool a key opens here."""

import time
from typing import Any

from django.conf import settings

from sweeps.engine.bells import engine_bell
from sweeps.runners.relay import asked, keys
from sweeps.runners.relay.desk import BEAT_S, Refused

__all__ = ["Pace", "Refused", "answered"]

# A carrier that runs something is heard at least once in so long.
_HEARD_S = 10.0
# Carriers that may come every two seconds; of more each comes less often, up to every five.
_MANY, _MOST_S = 200, 5.0


class Pace:
    """How often carriers should come: each time costs a millisecond of a core."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._count = self._due = 0.0

    def pause_s(self, key: str, now: float) -> float:
        """Seconds until the one that just came should come again."""
        self._heard[key] = now
        if now >= self._due:
            kept = {k: at for k, at in list(self._heard.items()) if now - at < _HEARD_S}
            self._heard, self._count, self._due = kept, len(kept), now + 1.0
        return min(max(BEAT_S, BEAT_S * self._count / _MANY), _MOST_S)


_pace = Pace()


def answered(key: str, verb: str, bearer: str, body: bytes, at: int) -> dict[str, Any] | str:
    """What a carrier is answered: a document, or the path of a file. Raises Refused.

    Who is asking is judged by the desk, from the spool alone: no row is read.
    """
    spool = keys.spool_of(str(settings.STUDIO_HOME / "relay"), key)
    told = asked.answer(spool, verb, bearer, body, at)
    if verb in ("claim", "end"):
        engine_bell().ring()  # it began, or is over
    if verb == "tell" and isinstance(told, dict):
        told["again_s"] = _pace.pause_s(key, time.monotonic())
    return told
