"""Taking secrets out of a stream of bytes, however it is cut into reads."""

import re
from collections.abc import Sequence

HIDDEN = b"***"


class Mask:
    """Replaces every one of `texts` by ***.

    What may be the beginning of one is held back until more comes, so at most as many bytes as
    the longest text has.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        found = {text.encode(errors="surrogateescape") for text in texts} - {b""}
        self._texts = sorted(found, key=len, reverse=True)
        self._longest = len(self._texts[0]) if self._texts else 0
        # Longest first: of several that fit, the one that leaves nothing of the others.
        self._any = re.compile(b"|".join(map(re.escape, self._texts)))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be shown once `data` has come."""
        if not self._texts:
            return data
        data = self._held + data
        start = self._beginning(data)
        if not any(text in data for text in self._texts):
            self._held = data[start:]
            return data[:start]
        shown, at = [], 0
        for match in self._any.finditer(data):
            if match.start() >= start:
                break
            shown += [data[at : match.start()], HIDDEN]
            at = match.end()
        start = max(start, at)
        self._held = data[start:]
        return b"".join([*shown, data[at:start]])

    def rest(self) -> bytes:
        """What was held back, once nothing more comes."""
        held, self._held = self._held, b""
        return self._any.sub(HIDDEN, held) if held else held

    def _beginning(self, data: bytes) -> int:
        """Where the end of `data` may be the beginning of a text, or its length."""
        low = max(0, len(data) - self._longest + 1)
        found = len(data)
        for text in self._texts:
            at = data.find(text[:1], max(low, len(data) - len(text) + 1), found)
            while at >= 0:
                if text.startswith(data[at:]):
                    found = at
                    break
                at = data.find(text[:1], at + 1, found)
        return found
