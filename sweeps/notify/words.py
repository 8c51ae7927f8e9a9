"""A notice in words: plain text that says what happened, how it stands, where to look.

What people and scripts have named or said is told by `quote`, so that each medium can show it as
what it is.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sweeps.domain.notices import Event

Quote = Callable[[str], str]

_VERBS = {
    Event.COMPLETED: "is complete",
    Event.CANCELED: "was canceled",
    Event.FAILED: "has failed",
    Event.PAUSED: "was paused by the studio",
    Event.NEW_BEST: "has a new best trial",
}
_LONGEST = 300
_MOST_PARAMS = 20


def plain(text: str) -> str:
    """One line, not too long, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def headline(payload: Mapping[str, Any], quote: Quote = plain) -> str:
    """What happened, in one line."""
    data, event = payload["data"], Event(payload["type"])
    if event is Event.TEST:
        return f"Test of the channel {quote(data['channel'])}"
    name = quote(data["display_name"] or data["sweep"])
    said = f"Sweep {name} {_VERBS[event]}"
    if event is Event.NEW_BEST and data["best"]:
        said += f": {_best(data, quote)}"
    return said


def lines(payload: Mapping[str, Any], quote: Quote = plain) -> Iterator[str]:
    """What else there is to know, the address last."""
    data, event = payload["data"], Event(payload["type"])
    if event is Event.TEST:
        yield f"{quote(data['by'])} sent it from the workspace {quote(data['workspace'])}."
        yield data["url"]
        return
    if data["reason"] and event is not Event.NEW_BEST:
        yield quote(data["reason"])
    trials = data["trials"]
    failed = f", {trials['failed']:,} of them failed" if trials["failed"] else ""
    yield f"{trials['ended']:,} of {trials['total']:,} trials ended{failed}."
    best = data["best"]
    if best and event is not Event.NEW_BEST:
        yield f"Best: {_best(data, quote)}."
    if best and best["params"]:
        yield f"Its parameters: {_params(best['params'], quote)}"
    yield data["url"]


def _best(data: Mapping[str, Any], quote: Quote) -> str:
    best = data["best"]
    return f"trial {best['trial']} with {quote(data['metric'])} {best['value']:.6g}"


def _params(params: Mapping[str, Any], quote: Quote) -> str:
    shown = [quote(f"{name} = {_value(value)}") for name, value in params.items()]
    more = f" and {len(shown) - _MOST_PARAMS} more" if len(shown) > _MOST_PARAMS else ""
    return ", ".join(shown[:_MOST_PARAMS]) + more


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
