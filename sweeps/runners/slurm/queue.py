"""What the cluster says of our jobs: one question for all of them, asked by a thread."""

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from sweeps.runners.base import RunnerError
from sweeps.runners.slurm import commands

# Ends are seen in the spool. Only what waits, and what was lost, is learned here.
EVERY_S, HASTE_S = 2.0, 0.3
# Whoever keeps no accounts will not have them a moment later.
NO_ACCOUNTS_S = 600.0

LIVE = frozenset(
    (
        "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING",
        "SIGNALING", "STAGE_OUT", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT",
        "RESV_DEL_HOLD",
    )
)  # fmt: skip
WAITING = frozenset(
    ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT",
     "RESV_DEL_HOLD")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """A job as squeue or sacct told of it; `reason` is the cluster's own word."""

    number: str
    state: str
    reason: str = ""
    name: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it may still run, or runs."""
        return self.state in LIVE

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.state in WAITING


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. `asked_at` in Unix seconds: it says nothing of jobs that were younger."""

    asked_at: float = 0.0
    jobs: Mapping[str, Job] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def job(self, number: str, name: str) -> Job | None:
        """The job of that number, unless the number has been given to another one since."""
        found = self.jobs.get(number)
        return found if found is not None and found.name in ("", name) else None


class Queue:
    """Our jobs, as they were last told. Never waits: a thread asks, one at a time."""

    def __init__(self, ask: Callable[..., str] = commands.ask, every_s: float = EVERY_S) -> None:
        self._ask, self._every_s = ask, every_s
        self._lock = threading.Lock()
        self._seen = Seen()
        self._asking = False
        self._due = self._answered = 0.0
        self._missing: frozenset[str] = frozenset()
        self._accounts_from = 0.0

    def seen(self) -> Seen:
        """The newest answer; asks for another where it is time."""
        with self._lock:
            if not self._asking and time.monotonic() >= self._due:
                self._asking = True
                threading.Thread(target=self._refresh, name="squeue", daemon=True).start()
            return self._seen

    def miss(self, numbers: Collection[str]) -> None:
        """Say which jobs of ours the last answers did not tell of: accounts are asked for them."""
        self._missing = frozenset(numbers)

    def hasten(self) -> None:
        """Ask anew soon: somebody waits for it."""
        self._due = min(self._due, self._answered + HASTE_S)

    def _refresh(self) -> None:
        seen = self.look()
        with self._lock:
            self._seen = seen
            self._asking = False
            self._answered = time.monotonic()
            self._due = self._answered + self._every_s

    def look(self) -> Seen:
        """Ask now. After an error it is the former answer, with the cluster's words."""
        asked_at = time.time()
        try:
            told = self._ask("squeue", *_WORDS, f"--user={os.geteuid()}")
        except RunnerError as error:
            former = self._seen
            return Seen(former.asked_at, former.jobs, former.by_name, str(error))
        jobs, names = _parsed(told)
        gone = self._missing - jobs.keys()
        return Seen(asked_at, {**self._accounts(gone), **jobs}, names)

    def _accounts(self, numbers: Collection[str]) -> dict[str, Job]:
        if not numbers or time.monotonic() < self._accounts_from:
            return {}
        words = ("--noheader", "--parsable2", "--allocations", "--format=JobIDRaw,State")
        try:
            told = self._ask("sacct", *words, f"--jobs={','.join(sorted(numbers))}")
        except RunnerError:  # most often: this cluster keeps none
            self._accounts_from = time.monotonic() + NO_ACCOUNTS_S
            return {}
        rows = (line.split("|") for line in told.splitlines())
        # "CANCELLED by 1000"
        return {row[0]: Job(row[0], row[1].split()[0]) for row in rows if len(row) == 2 and row[1]}


_WORDS = ("--noheader", "--states=all", "--format=%i|%T|%r|%j")


def _parsed(told: str) -> tuple[dict[str, Job], dict[str, str]]:
    jobs, names = {}, {}
    for line in told.splitlines():
        row = line.strip().split("|", 3)
        if len(row) == 4:
            number, state, reason, name = row
            jobs[number] = Job(number, state, reason, name)
            names[name] = number
    return jobs, names
