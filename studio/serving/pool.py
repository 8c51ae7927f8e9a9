"""Threads for requests: as many at work as there may be, however many wait for their clients.

Where they are scarce, owners of requests take turns, and none gets the last ones: however long
somebody's requests take, and however many there are, another one's find a thread.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, Protocol

from studio.serving.pace import surplus

# An owner gets one more thread while fewer than so many times those that are free work for it:
# of 16 threads one owner alone gets 12, two get 7 each, three 5.
_SHARE = 3

_Job = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Owners(Protocol):
    """Whom requests are for, by the first argument of their function."""

    def known(self, request: Any) -> str | None:
        """The owner; None until `learn` has looked it up."""

    def learn(self, requests: Sequence[Any]) -> None:
        """Look up the owners of all of these. May take a moment."""


class Pool(Executor):
    """An executor of `working` threads, where a thread that waits for a client is not counted.

    In its place another one starts when there is something to do, `most` in all. A thread that is
    one too many ends with the request that it has; `at_end` is called in a thread that ends.
    """

    def __init__(self, working: int, most: int, at_end: Callable[[], None], owners: Owners) -> None:
        self._working, self._most, self._at_end = working, most, at_end
        self._owners = owners
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        # The requests at work, by thread.
        self._busy: dict[int, Any] = {}
        self._learning, self._learn_at = threading.Lock(), 0.0
        # Idle are those that nobody has woken yet.
        self._threads = self._idle = self._waiting = 0
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run it as soon as a thread is free, and it is its owner's turn."""
        future: Future[Any] = Future()
        with self._changed:
            self._jobs.append((future, fn, args))
            self._see_to_jobs()
        return future

    def thin(self, most: int) -> None:
        """Cancel what is too much of more than `most` jobs: the newest of whoever has the most."""
        with self._changed:
            if len(self._jobs) <= most:
                return
            requests = [job[2][0] for job in self._jobs]
        self._owners.learn([one for one in requests if self._owners.known(one) is None])
        with self._changed:
            gone = self._surplus(most * 3 // 4)
        for future in gone:
            future.cancel()

    def _surplus(self, most: int) -> list["Future[Any]"]:
        """Those to be cancelled, which are jobs no more. With the lock held."""
        keys = {job[0]: self._owners.known(job[2][0]) or "" for job in self._jobs}
        gone = surplus(keys, {future: at for at, future in enumerate(keys)}, most)
        left = set(keys) - set(gone)
        self._jobs = deque(job for job in self._jobs if job[0] in left)
        return gone

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The thread waits for its client until the end of the block."""
        me = threading.get_ident()
        with self._changed:
            self._waiting += 1
            request = self._busy.pop(me, None)
            self._see_to_jobs()
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if request is not None:
                    self._busy[me] = request

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Have threads end when there is nothing left to do; nobody waits for them."""
        with self._changed:
            self._closed = True
            self._idle = 0
            self._changed.notify_all()

    def _see_to_jobs(self) -> None:
        """Wake a thread for a job, or start one. With the lock held."""
        if not self._jobs:
            return
        if self._idle:
            self._idle -= 1
            self._changed.notify()
        elif self._at_work() < self._working and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._run, name="request").start()

    def _at_work(self) -> int:
        return self._threads - self._waiting

    def _run(self) -> None:
        while job := self._next():
            future, function, arguments = job
            del job
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)
            del future, function, arguments
        self._at_end()

    def _next(self) -> _Job | None:
        """What to do next; None to end. Counts the thread out then."""
        me = threading.get_ident()
        while True:
            with self._changed:
                self._busy.pop(me, None)
                too_many = self._at_work() > self._working
                if not too_many and (job := self._take()):
                    self._busy[me] = job[2][0]
                    self._see_to_jobs()
                    return job
                if too_many or self._closed:
                    self._threads -= 1
                    self._see_to_jobs()
                    return None
                nameless = self._nameless()
                if not nameless:
                    self._idle += 1
                    self._changed.wait()
                    continue
            self._learn(nameless)

    def _learn(self, requests: list[Any]) -> None:
        """With the lock free, for it takes a while: of which little is spent on this."""
        with self._learning:
            time.sleep(max(0.0, self._learn_at - time.monotonic()))
            start = time.monotonic()
            self._owners.learn([one for one in requests if self._owners.known(one) is None])
            end = time.monotonic()
            self._learn_at = end + 10 * (end - start)

    def _free(self) -> int:
        return self._working - len(self._busy)

    def _is_scarce(self) -> bool:
        """True if somebody may have more than its share."""
        return len(self._busy) >= _SHARE * self._free()

    def _nameless(self) -> list[Any]:
        """Whose owners have to be known before a job can be taken. With the lock held."""
        if not self._jobs or not self._is_scarce():
            return []
        requests = [*self._busy.values(), *(job[2][0] for job in self._jobs)]
        return [one for one in requests if self._owners.known(one) is None]

    def _take(self) -> _Job | None:
        """The oldest job of whoever has the fewest threads, if one more may be theirs."""
        if self._closed or not self._is_scarce():
            return self._jobs.popleft() if self._jobs else None
        many = Counter(self._owners.known(request) for request in self._busy.values())
        if None in many:
            return None
        owners = [self._owners.known(job[2][0]) for job in self._jobs]
        turns = [(many[owner], at) for at, owner in enumerate(owners) if owner is not None]
        if not turns or min(turns)[0] >= _SHARE * self._free():
            return None
        at = min(turns)[1]
        job = self._jobs[at]
        del self._jobs[at]
        return job
