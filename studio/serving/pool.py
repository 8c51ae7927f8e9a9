"""Threads for requests: as many at work as there may be, however many wait for their clients."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

_Job = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Pool(Executor):
    """An executor of `working` threads, where a thread that waits for a client is not counted.

    In its place another one starts when there is something to do, `most` in all. A thread that is
    one too many ends with the request that it has; `at_end` is called in a thread that ends.
    """

    def __init__(self, working: int, most: int, at_end: Callable[[], None]) -> None:
        self._working, self._most, self._at_end = working, most, at_end
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._threads = self._idle = self._waiting = 0
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run it as soon as a thread is free."""
        future: Future[Any] = Future()
        with self._changed:
            self._jobs.append((future, fn, args))
            self._see_to_jobs()
        return future

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The thread waits for its client until the end of the block."""
        with self._changed:
            self._waiting += 1
            self._see_to_jobs()
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Have threads end when there is nothing left to do; nobody waits for them."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _see_to_jobs(self) -> None:
        """Wake a thread for a job, or start one. With the lock held."""
        if len(self._jobs) <= self._idle:
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
        with self._changed:
            while True:
                too_many = self._at_work() > self._working
                if self._jobs and not too_many:
                    return self._jobs.popleft()
                if self._closed or too_many:
                    self._threads -= 1
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
