"""Bodies in chunks: what takes them, and a reader of theirs that collects no line without end.

gunicorn's own collects the line of a chunk's size, and the trailers, until they end, however long
they get, and takes a body whose chunks are broken for one that has come whole.
"""

import re
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    ChunkMissingTerminator,
    InvalidChunkExtension,
    InvalidChunkSize,
    NoMoreData,
    ParseException,
)

# Bytes of a chunk's size, of what may follow it on its line, and of all trailers.
SIZE, EXTENSION, TRAILERS = 64, 4096, 8192
# Artifacts of trials, whose length nobody bounds. The gateway says what else it wants of the path.
_TAKING = re.compile(r"/tracking/[^/]+/api/2\.0/mlflow-artifacts/artifacts/")
REFUSAL = (
    b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 45\r\n\r\nSend the length of the body (Content-Length)."
)
_LINE = b"\r\n"


def are_taken(method: str, path: str) -> bool:
    """True if the body of such a request may come in chunks."""
    return method == "PUT" and _TAKING.match(path) is not None


class Chunks(ChunkedReader):  # type: ignore[misc]
    """What the chunks hold. Unless they have come to their end, the connection is to be closed.

    For nobody knows where the next request begins then (RFC 9112, 6.3 and 8). Raises
    ParseException for what are no chunks, NoMoreData where they break off, OSError.
    """

    def __init__(self, request: Any, unreader: Any) -> None:
        super().__init__(request, unreader)
        self._error: Exception | None = None
        self._closes = request.must_close
        request.must_close = True

    def read(self, size: int) -> bytes:
        """Up to so many bytes, b"" at the end. What has failed once fails again."""
        if self._error:
            raise self._error
        try:
            data: bytes = super().read(size)
        except (OSError, ParseException) as error:
            self._error = error
            raise
        return data

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes]:
        """gunicorn's, given a line that is whole. Returns (size, what was read behind the line)."""
        data = data or b""
        while (end := data.find(_LINE, 0, SIZE + EXTENSION + len(_LINE))) < 0:
            if len(data) >= SIZE + EXTENSION + len(_LINE):
                raise InvalidChunkExtension("too long")
            more = unreader.read()
            if not more:
                raise NoMoreData
            data += more
        size = data[:end].partition(b";")[0]
        if len(size) > SIZE:
            raise InvalidChunkSize(size[:SIZE])
        found: tuple[int, bytes] = super().parse_chunk_size(unreader, data)
        return found

    def parse_trailers(self, unreader: Any, data: bytes) -> None:
        """gunicorn's, given all of them. Ends the body."""
        while not data.startswith(_LINE) and data.find(2 * _LINE, 0, TRAILERS) < 0:
            if len(data) >= TRAILERS:
                raise ChunkMissingTerminator(b"")
            more = unreader.read()
            if not more:
                raise ChunkMissingTerminator(b"")
            data += more
        super().parse_trailers(unreader, data)
        self.req.must_close = self._closes
