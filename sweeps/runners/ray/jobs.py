"""What the cluster says of our jobs: one question for all of them, asked by a thread."""

import re
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sweeps.runners.base import RunnerError
from sweeps.runners.ray.api import Api, fit

# Ends are seen in the spool. Only what waits, and what was lost, is learned here.
EVERY_S, HASTE_S = 2.0, 0.3
# Jobs taken from Ray's record after one answer.
_MOST_FORGOTTEN = 50


_NOT_SET_UP = "RUNTIME_ENV_SETUP_FAILURE"
_PIP = "pip could not install the packages: "
_PIPS_ERROR = re.compile(r"^\s*ERROR: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as Ray tells of it; `message` and `error` are its own words."""

    number: str
    status: str
    message: str = ""
    error: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it may still run, or runs."""
        return self.status in ("PENDING", "RUNNING")

    @property
    def has_no_packages(self) -> bool:
        """Whether pip could not install what it asks for: it cannot elsewhere either."""
        return self.error == _NOT_SET_UP and self.message.startswith(_PIP)

    @property
    def gave_up_waiting(self) -> bool:
        """Whether there was no place for it for so long that Ray let it go (15 minutes)."""
        return self.status == "FAILED" and self.error == "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.status == "PENDING"


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. `asked_at` in Unix seconds: it says nothing of jobs that were younger."""

    asked_at: float = 0.0
    jobs: Mapping[str, Job] = field(default_factory=dict)
    error: str = ""


class Jobs:
    """The cluster's jobs, as they were last told. Never waits: a thread asks, one at a time."""

    def __init__(self, api: Api, every_s: float = EVERY_S) -> None:
        self._api, self._every_s = api, every_s
        self._lock = threading.Lock()
        self._seen = Seen()
        self._asking = False
        self._due = self._answered = 0.0
        self._done: set[str] = set()

    def seen(self) -> Seen:
        """The newest answer; asks for another where it is time."""
        with self._lock:
            if not self._asking and time.monotonic() >= self._due:
                self._asking = True
                threading.Thread(target=self._refresh, name="ray-jobs", daemon=True).start()
            return self._seen

    def hasten(self) -> None:
        """Ask anew soon: somebody waits for it."""
        self._due = min(self._due, self._answered + HASTE_S)

    def done_with(self, numbers: Collection[str]) -> None:
        """Nobody asks for these any more: Ray, which keeps them for ever, need not tell of them."""
        with self._lock:
            self._done.update(numbers)

    def _refresh(self) -> None:
        try:
            seen = self.look()
            with self._lock:
                self._seen = seen
            self._forget(seen)
        finally:  # whatever went wrong, the cluster is asked again
            with self._lock:
                self._asking = False
                self._answered = time.monotonic()
                self._due = self._answered + self._every_s

    def settle(self) -> None:
        """Wait until nobody asks any more."""
        while self._asking:
            time.sleep(0.01)

    def look(self) -> Seen:
        """Ask now. After an error it is the former answer, with the cluster's words."""
        asked_at = time.time()
        try:
            told = self._api.jobs()
        except RunnerError as error:
            return Seen(self._seen.asked_at, self._seen.jobs, str(error))
        jobs = filter(None, map(job_of, told))
        return Seen(asked_at, {job.number: job for job in jobs})

    def _forget(self, seen: Seen) -> None:
        with self._lock:
            done = list(self._done)
        over = [n for n in done if n in seen.jobs and not seen.jobs[n].is_live]
        for number in over[:_MOST_FORGOTTEN]:
            with suppress(RunnerError):  # it stays on Ray's record, and is told of
                self._api.forget(number)
            with self._lock:
                self._done.discard(number)
        if not seen.error:
            with self._lock:
                self._done.intersection_update({*seen.jobs} | (self._done - {*done}))


def job_of(told: Mapping[str, Any]) -> Job | None:
    """A job of Ray's list; None for those that nobody handed in."""
    number = told.get("submission_id")
    if not isinstance(number, str) or not number:
        return None
    return Job(
        fit(number, 100),
        fit(told.get("status"), 40),
        fit(_said(told), 600),
        fit(told.get("error_type") or "", 40),
    )


def _said(told: Mapping[str, Any]) -> Any:
    """Ray's message; of an environment that pip could not make what pip said, at its very end."""
    message = told.get("message") or ""
    if told.get("error_type") == _NOT_SET_UP and isinstance(message, str):
        errors = _PIPS_ERROR.findall(message[-20_000:])
        if errors:
            return _PIP + " ".join(errors[:2])
    return message
