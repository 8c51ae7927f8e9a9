"""Bodies in JSON, read only where they hold no more values than they may."""

import json
import threading
from contextlib import nullcontext
from typing import Any

from sweeps.domain.json_text import has_more

# Bodies of more bytes than this are read two at a time: each stands in memory as bytes, as text and
# as values for that moment.
_LARGE = 256 * 2**10
_reading = threading.BoundedSemaphore(2)


class TooManyValues(Exception):
    """The body holds more values than it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The request holds too many values: {most:,} at most.")


def read(body: bytes, most: int) -> Any:
    """What the body says, with old clients' encoding of a text within a text undone.

    Raises TooManyValues if it surely holds more than `most` values, and ValueError or
    RecursionError, as `json.loads` does, for what is not JSON (RFC 8259) in UTF-8.
    """
    with _reading if len(body) > _LARGE else nullcontext():
        value = _read(body, most)
        if isinstance(value, str):
            value = _read(value.encode(errors="surrogatepass"), most)
        return value


def _read(body: bytes, most: int) -> Any:
    if has_more(body, 4 * most):
        raise TooManyValues(most)
    return json.loads(body.decode("utf-8-sig", errors="surrogatepass"))
