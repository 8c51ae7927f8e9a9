"""Requests of carriers: what they carry, read for the desk, whichever server they came through."""

import json
from typing import Any

from sweeps.domain.json_text import has_more
from sweeps.runners.relay import desk
from sweeps.runners.relay.desk import NotYours, Order, Over, Refused

VERBS = ("claim", "tell", "outputs", "end", "lent")
# Secrets and names of carriers are no longer than this.
_LONGEST = 200
# A carrier tells of a hundred.
_MOST_VALUES = 10_000


def answer(
    spool: str | None, verb: str, bearer: str, body: bytes, at: int = 0
) -> dict[str, Any] | str:
    """What a carrier is answered: a document, or the path of a file. Raises Refused."""
    if verb not in VERBS:
        raise Refused("There is no such request.")
    if spool is None:
        raise Over("The attempt is over.")
    if not 0 < len(bearer) <= _LONGEST:
        raise NotYours("The request has no secret.")
    if verb == "outputs":
        return {"at": desk.outputs(spool, bearer, at, body)}
    doc = _document(body)
    if verb == "claim":
        secret, host = doc.get("secret"), doc.get("host")
        if not isinstance(secret, str) or not 20 <= len(secret) <= _LONGEST:
            raise Refused("A claim names a secret.")
        return desk.claim(spool, Order(bearer, secret, str(host)[:_LONGEST]))
    if verb == "tell":
        return desk.tell(spool, bearer, doc)
    if verb == "lent":
        return desk.lent_file(spool, bearer, *_wanted(doc))
    desk.end(spool, bearer, doc)
    return {}


def _document(body: bytes) -> dict[str, Any]:
    if has_more(body, _MOST_VALUES):
        raise Refused("The request holds too many values.")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("The request is not JSON.") from error
    if not isinstance(found, dict):
        raise Refused("The request is no object.")
    return found


def _wanted(doc: dict[str, Any]) -> tuple[int, str]:
    number, name = doc.get("number"), doc.get("name")
    if type(number) is not int or not isinstance(name, str):
        raise Refused("There is no such file.")
    return number, name
