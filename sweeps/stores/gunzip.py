"""Reading gzip forwards, in pieces of a bounded size.

`gzip.GzipFile` reads a name in the header byte by byte, however long it is, and goes back to the
beginning of everything where it is asked to go back a little.
"""

import zlib
from typing import IO

_INPUT = 2**16
# Tools that pack in blocks make one member for some 64 KiB.
MAX_MEMBERS = 100_000


class Gunzip:
    """The contents of a gzip file, as `tarfile` reads it: `read`, `tell` and `seek` forwards.

    Raises zlib.error for what is no gzip, EOFError where it ends too early.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._inflate = file, zlib.decompressobj(31)
        self._input, self._at, self._members = b"", 0, 1

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        parts, left = [], size
        while left and (part := self._some(left)):
            parts.append(part)
            left -= len(part)
        self._at += size - left
        return b"".join(parts)

    def tell(self) -> int:
        """Bytes read so far."""
        return self._at

    def seek(self, at: int, whence: int = 0) -> int:
        """Go forwards. Raises OSError for another direction."""
        if whence != 0 or at < self._at:
            raise OSError("A packed stream is read forwards only.")
        while self._at < at and self.read(min(at - self._at, _INPUT)):
            pass
        return self._at

    def _some(self, most: int) -> bytes:
        """At least one byte and `most` at most; none at the end."""
        while True:
            if self._inflate.eof and not self._next():
                return b""
            if not self._input:
                self._input = self._file.read(_INPUT)
                if not self._input and not self._inflate.unconsumed_tail:
                    raise EOFError("the packed stream ends too early")
            found = self._inflate.decompress(self._input, most)
            self._input = self._inflate.unconsumed_tail
            if found:
                return found

    def _next(self) -> bool:
        """Begin with the next member; False where none follows."""
        rest = (self._inflate.unused_data or self._file.read(_INPUT)).lstrip(b"\0")
        while not rest and (more := self._file.read(_INPUT)):
            rest = more.lstrip(b"\0")
        if not rest:
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise EOFError("the packed stream has too many parts")
        self._inflate, self._input = zlib.decompressobj(31), rest
        return True
