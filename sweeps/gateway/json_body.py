"""Bodies in JSON, read only where they hold no more values than they may.

Of a body of 10 MiB with nothing but empty lists Python makes 400 MiB of objects, in a second in
which no other thread runs: values are counted before they are made.
"""

import json
import re
import threading
from contextlib import nullcontext
from itertools import islice
from typing import Any

# A text, or what stands before a value. Possessive, and to the end where the closing quote is
# missing: no byte is read twice.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)
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
    # A value has a comma or an opening before it, or both; it may be a text and have a name.
    if sum(map(body.count, (b",", b"[", b"{"))) > 2 * most and _tokens(body, 4 * most) > 4 * most:
        raise TooManyValues(most)
    return json.loads(body.decode("utf-8-sig", errors="surrogatepass"))


def _tokens(body: bytes, most: int) -> int:
    """How many there are; counted until they are more than `most`."""
    return sum(1 for _ in islice(_TOKEN.finditer(body), most + 1))
