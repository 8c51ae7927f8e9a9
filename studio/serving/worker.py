"""gunicorn's worker of threads, in which no client holds a thread that it keeps waiting.

What a request begins with is collected without a thread: its head, and its body as far as it is
small. A thread gets it when it is whole, or has been under way for too long; threads that wait for
the rest of large bodies, or for clients that take large answers, are beside those at work.
"""

import contextlib
import re
import resource
import selectors
import socket
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.db import connections
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from studio.serving import chunks, who
from studio.serving.pace import SENDING_S, Crowd, Paced, greediest
from studio.serving.pool import Pool

# Threads that wait for clients, besides those at work.
WAITING = 32
# Connections in all (a file each), of these kept open between requests, without a request or with
# an answer that has gone already, and with a request that waits for its turn at a thread.
CONNECTIONS, KEPT, UNSAID, QUEUED = 1500, 400, 300, 500
_FILES = 4096
# A head is one to three KB; more of it, or of a body, a thread reads.
_AHEAD = 64 * 1024
_LINGER_S = 2.0
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_AT_ONCE = re.compile(rb"\r\n(Expect|Transfer-Encoding):", re.IGNORECASE)


def lacks(begun: bytes) -> bool:
    """True if more of the request has to come before a thread should have it.

    Where this reads a head otherwise than gunicorn does, a thread waits for the client.
    """
    head, end, body = begun.partition(b"\r\n\r\n")
    if len(begun) >= _AHEAD or (end and _AT_ONCE.search(head + b"\r\n")):
        return False
    length = _LENGTH.search(head + b"\r\n")
    return not end or (length is not None and len(body) < min(int(length[1]), _AHEAD))


_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 32\r\n\r\nToo many requests at this moment"
)


class _Owners:
    """Whom requests are for, by connection."""

    def known(self, conn: TConn) -> str | None:
        key: str | None = conn.sock.key
        return key

    def learn(self, conns: Sequence[TConn]) -> None:
        nameless = [conn.sock for conn in conns if conn.sock.key is None]
        for sock, owner in who.keys(nameless).items():
            sock.owner = owner


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """What comes of a connection: unsaid, in a thread, kept for the next request, lingering."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_keepalived = KEPT
        self._crowd, self._owners = Crowd(WAITING, who.keys), _Owners()
        _allow_files()

    def get_thread_pool(self) -> Pool:
        """The threads; those that are one too many take their database's connections along."""
        most = self.cfg.threads + WAITING
        return Pool(self.cfg.threads, most, connections.close_all, self._owners)

    def enqueue_req(self, conn: TConn) -> None:
        """Somebody new, or somebody known who goes on: collect what the request begins with."""
        if not isinstance(conn.sock, Paced):
            conn.sock = Paced(conn.sock, self._crowd, self.tpool.waiting)
        conn.data_ready = True
        # What a client sent along with its last request has been read already.
        conn.begun = conn.parser.unreader.take_buffered() if conn.initialized else b""
        conn.sock.setblocking(False)
        if self._collect(conn):
            self._go_on(conn)
        else:
            self._await(conn, self._on_more, SENDING_S)
            self._thin()

    def _await(self, conn: TConn, act: Any, seconds: float) -> None:
        conn.timeout = time.monotonic() + seconds
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(act, conn))

    def _forget(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _collect(self, conn: TConn) -> bool:
        """Read what has come. False as long as more has to."""
        try:
            while lacks(conn.begun):
                more = conn.sock.recv(_AHEAD - len(conn.begun))
                conn.begun += more
                if not more:
                    break
        except BlockingIOError:
            return False
        except OSError:
            conn.begun = b""
        return True

    def _on_more(self, conn: TConn, _sock: Any) -> None:
        # Who was closed by what happened at the same moment has an event left.
        if conn in self.pending_conns and self._collect(conn):
            self._forget(conn)
            self._go_on(conn)

    def _go_on(self, conn: TConn) -> None:
        if conn.begun:
            self._hand_over(conn)
        else:
            self._close(conn)

    def _hand_over(self, conn: TConn, lag: float = 0.0) -> None:
        """To a thread, with what has been collected."""
        conn.sock.begin(lag, who.told(conn.client[0], conn.begun))
        conn.sock.setblocking(True)
        conn.init()
        conn.parser.unreader.unread(conn.begun)
        conn.begun = b""
        super().enqueue_req(conn)
        self.tpool.thin(QUEUED)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """In a thread: as gunicorn does, and False to close the connection afterwards."""
        if isinstance(req.body.reader, ChunkedReader):
            if not chunks.are_taken(req.method, req.path):
                conn.sock.sendall(chunks.REFUSAL)
                return False
            req.body.reader = chunks.Chunks(req, conn.parser.unreader)
        return bool(super().handle_request(req, conn))

    def murder_pending(self) -> None:
        """Those who have had their time: without a whole head they go."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            self._forget(conn)
            if b"\r\n\r\n" in conn.begun:
                self._hand_over(conn, SENDING_S)
            else:
                self._close(conn)

    def _thin(self) -> None:
        """Too many have said nothing, half a thing, or all: of whoever has the most some go.

        First those that have had their answer, and of both kinds the oldest.
        """
        if len(self.pending_conns) <= UNSAID:
            return
        unsaid = {conn.sock: conn for conn in self.pending_conns}
        late = {
            sock: (conn.initialized and not conn.begun, -conn.timeout)
            for sock, conn in unsaid.items()
        }
        self._owners.learn(list(self.pending_conns))
        keys = {sock: conn.sock.key for sock, conn in unsaid.items()}
        while len(late) > UNSAID * 3 // 4:
            sock = greediest(keys, late)
            del late[sock], keys[sock]
            self._forget(unsaid[sock])
            self._close(unsaid[sock])

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        """Keep it for the next request, or let the client read the end of the answer."""
        if fs.cancelled():
            self._turn_away(conn)
        elif fs.exception() or not fs.result() or not self.alive:
            self._linger(conn)
        elif conn.parser.unreader.buf.getbuffer().nbytes:
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def _turn_away(self, conn: TConn) -> None:
        """No thread has had its request, and none will."""
        conn.sock.setblocking(False)
        with contextlib.suppress(OSError):
            conn.sock.send(_BUSY)
        self._linger(conn)

    def _linger(self, conn: TConn) -> None:
        """Closing while something comes in would take the answer's end away (RFC 9112, 9.6).

        gunicorn waits for the client here, and for nobody else meanwhile.
        """
        conn.begun = b""
        conn.sock.setblocking(False)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
        else:
            self._await(conn, self._on_leaving, _LINGER_S)
            self._thin()

    def _on_leaving(self, conn: TConn, _sock: Any) -> None:
        if conn not in self.pending_conns:
            return
        try:
            if conn.sock.recv(_AHEAD):
                return
        except OSError:
            pass
        self._forget(conn)
        self._close(conn)


def _allow_files() -> None:
    """A file for each connection: where there are none left, gunicorn's worker ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
