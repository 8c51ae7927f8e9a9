"""The studio's desk for carriers of trials on other machines: which spool a key opens here."""

from typing import Any

from django.conf import settings

from sweeps.engine.bells import engine_bell
from sweeps.runners.relay import asked, keys
from sweeps.runners.relay.desk import Refused

__all__ = ["Refused", "answered"]


def answered(key: str, verb: str, bearer: str, body: bytes, at: int) -> dict[str, Any] | str:
    """What a carrier is answered: a document, or the path of a file. Raises Refused.

    Who is asking is judged by the desk, from the spool alone: no row is read.
    """
    spool = keys.spool_of(str(settings.STUDIO_HOME / "relay"), key)
    told = asked.answer(spool, verb, bearer, body, at)
    if verb in ("claim", "end"):
        engine_bell().ring()  # it began, or is over
    return told
