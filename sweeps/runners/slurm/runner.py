"""The runner of computes of kind `slurm`."""

import logging
import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

from sweeps.runners import attempts, outcomes, spool
from sweeps.runners.base import (
    ComputeAway,
    Ended,
    EndedBy,
    Event,
    How,
    LaunchSpec,
    Lost,
    Overview,
    Result,
    RunnerError,
    Running,
)
from sweeps.runners.outcomes import Cause, Span
from sweeps.runners.slurm import commands, job, words
from sweeps.runners.slurm.overview import overview
from sweeps.runners.slurm.queue import Job, Queue, Seen

log = logging.getLogger(__name__)

# A submission that nobody was told of is in the queue after so long, or never will be.
SUBMIT_LIMIT_S = 3 * commands.PATIENCE_S
# After a job's end its last files may need so long to cross the shared file system.
SETTLE_S = 6.0
# Seconds over the grace until Slurm is asked to end a job; and until it is asked again.
PRESS_S, AGAIN_S = 6.0, 15.0
# Whoever watches over a command touches a file every two seconds.
BEATS_S = 10.0
# What runs as it did is looked at in all its records after so long, or twice that.
KNOWN_S = 5.0
_HANDED_IN = "Slurm: handed in."
_OVERDUE = "The studio ended while it was submitting the job, which never ran."
_HOW = How(False, "Trials on a cluster start each by itself.")


class _Known(NamedTuple):
    """A command that runs: its job, and until when (monotonic) its records need no look."""

    number: str
    name: str
    pid: int
    until: float


class SlurmRunner:
    """Runs each command as a batch job. A handle is the absolute path of the spool.

    Means, no facts, are kept in memory: what was asked of the cluster and when.
    """

    def __init__(self, queue: Queue | None = None) -> None:
        self._queue = queue or Queue()
        self._gone: dict[str, float] = {}
        self._known: dict[str, _Known] = {}
        self._cancelled: dict[str, float] = {}
        # Slurm's answer to a cancel may take long, and nobody waits for it.
        self._aside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="scancel")

    # --- starting -------------------------------------------------------------------------------
    def start(self, spec: LaunchSpec) -> str:
        """See Runner. Takes as long as sbatch, some 30 ms."""
        folder = os.path.abspath(spec.spool)
        if spec.user:
            raise RunnerError("Trials on a cluster run as the studio's own user, not isolated.")
        if not attempts.claim(spec, folder, kept=list(job.KEPT)):
            return folder
        launch = spool.read(folder, spool.LAUNCH)
        if launch is None:
            raise RunnerError(f"The spool {folder} was removed.")
        try:
            number = commands.submit(job.options(folder, launch, spec.options), job.script(folder))
        except RunnerError as error:
            return self._not_told(folder, launch, error)
        spool.write(folder, spool.JOB, {"number": number, "at": time.time()})
        return folder

    def _not_told(self, folder: str, launch: dict[str, Any], error: RunnerError) -> str:
        """After a failed submission: make sure that nothing of it will run, and raise the error.

        It may have come through all the same. Whoever takes the guard's place first decides: a job
        that begins later finds it taken and leaves.
        """
        if not spool.claim(folder, spool.GUARD, {"lost": str(error)}):
            return folder  # it came through, and has begun
        spool.keep_no_secrets(folder, launch)  # nobody cleans up what never was handed in
        if isinstance(error, ComputeAway):
            self._cancel(job.name_of(launch), "")
        raise error

    # --- looking --------------------------------------------------------------------------------
    def poll(self, handles: Sequence[str]) -> list[Event]:
        """See Runner. Reads spools; what the cluster said is at most some seconds old."""
        seen = self._queue.seen()
        missing: set[str] = set()
        events = [self._look(handle, seen, missing) for handle in handles]
        self._queue.miss(missing)
        return events

    def _look(self, handle: str, seen: Seen, missing: set[str]) -> Event:
        result = spool.read_result(handle)
        if result is not None and not _doubtful(handle, result):
            return Ended(handle, result)
        if result is None and (event := self._as_before(handle, seen)):
            return event
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None:
            return Ended(handle, result) if result else attempts.without_launch(handle)
        if not attempts.is_ours(handle, launch):
            return attempts.copied(handle, launch)
        if gone := attempts.known_lost(handle):
            return gone
        guard = spool.read(handle, spool.GUARD)
        if guard and "lost" in guard:
            return Lost(handle, guard["lost"])
        number = _number(handle, launch, seen)
        if number is None:
            return self._untold(handle, launch, guard, seen)
        found = seen.job(number, job.name_of(launch))
        if found is None:
            missing.add(number)
        if result is not None:
            return self._explained(handle, result, found)
        if found is None and seen.asked_at <= _submitted_at(handle):
            return _alive(handle, seen.error)
        if found is not None and found.is_live:
            self._gone.pop(handle, None)
            self._press(handle, launch, number)
            event = _alive(handle, words.waiting(found))
            if event.pid is not None:
                until = time.monotonic() + KNOWN_S * (1 + random.random())  # noqa: S311
                self._known[handle] = _Known(number, job.name_of(launch), event.pid, until)
            return event
        return self._after(handle, launch, found)

    def _as_before(self, handle: str, seen: Seen) -> Running | None:
        """Of what ran a moment ago: that it runs, if nothing speaks against it. Reads no record:
        there may be hundreds, each on a file system far away."""
        known = self._known.get(handle)
        if known is None:
            return None
        found = seen.job(known.number, known.name)
        told = os.path.exists(os.path.join(handle, spool.STOP))
        if time.monotonic() > known.until or told or found is None or not found.is_live:
            self._known.pop(handle, None)
            return None
        return Running(handle, known.pid, spool.beat_at(handle))

    def _untold(
        self, handle: str, launch: dict[str, Any], guard: dict[str, Any] | None, seen: Seen
    ) -> Event:
        """Of an attempt whose job's number nobody was told: it may still come to be."""
        limit = launch["launched_at"] + SUBMIT_LIMIT_S
        late = seen.asked_at > limit
        if guard is None and late and spool.claim(handle, spool.GUARD, {"lost": _OVERDUE}):
            return Lost(handle, _OVERDUE)
        if guard is not None and late and not _beats(handle):
            return self._after(handle, launch, None)
        return _alive(handle, seen.error)

    def _explained(self, handle: str, result: Result, found: Job | None) -> Event:
        """A command that was ended from outside, with what the cluster says about that."""
        if order := spool.read(handle, spool.STOP):
            stopped = result._replace(ended_by=EndedBy.STOPPED, message=order["reason"])
            return self._decided(handle, stopped)
        if found is None or found.is_live:
            self._queue.hasten()
            return self._decided(handle, result) if self._is_settled(handle) else _alive(handle)
        if found.state == "TIMEOUT":
            late = result._replace(ended_by=EndedBy.TIME_LIMIT, message=words.ending(found))
            return self._decided(handle, late)
        if words.is_from_outside(found):
            text = f"{words.ending(found)} It can be run again."
            return self._decided(handle, result._replace(ended_by=EndedBy.LOST, message=text))
        return self._decided(handle, result)

    def _after(self, handle: str, launch: dict[str, Any], found: Job | None) -> Event:
        """A job that is over without a result, so far."""
        if _beats(handle):  # a node that lost its daemon, or its network, works on
            return _alive(handle)
        if not self._is_settled(handle):
            return _alive(handle)
        reason = f"{words.ending(found)} It can be run again."
        began = spool.read(handle, spool.GUARD) is not None
        if not began and not spool.claim(handle, spool.GUARD, {"lost": reason}):
            return _alive(handle)
        if order := spool.read(handle, spool.STOP):
            return self._decided(handle, _unseen(handle, launch, EndedBy.STOPPED, order["reason"]))
        if found is not None and found.state == "TIMEOUT":
            text = words.ending(found)
            return self._decided(handle, _unseen(handle, launch, EndedBy.TIME_LIMIT, text))
        return attempts.lost(handle, reason)

    def _is_settled(self, handle: str) -> bool:
        """Whether it was first seen to be over so long ago that nothing more is to come."""
        now = time.monotonic()
        return now - self._gone.setdefault(handle, now) >= SETTLE_S

    def _decided(self, handle: str, result: Result) -> Event:
        """Put a result on record for good, so that later looks say the same."""
        spool.write_result(handle, result)
        record = spool.read(handle, spool.JOB) or {"number": "", "at": 0.0}
        spool.write(handle, spool.JOB, {**record, "decided": True})
        self._gone.pop(handle, None)
        return Ended(handle, result)

    # --- ending ---------------------------------------------------------------------------------
    def stop(self, handle: str, grace_s: float | None = None, reason: str = "") -> None:
        """See Runner. What has not begun never will; what runs is told by its shim first."""
        if not os.path.isdir(handle) or spool.read_result(handle):
            return
        launch = spool.read(handle, spool.LAUNCH)
        attempts.order_stop(handle, grace_s, reason, asked_at=time.time())
        if launch is None or not attempts.is_ours(handle, launch):
            return
        if spool.claim(handle, spool.GUARD, {"lost": reason or "It was stopped before it began."}):
            spool.write_result(handle, _unseen(handle, launch, EndedBy.STOPPED, reason))
            self._cancel(job.name_of(launch), _number(handle, launch, Seen()) or "")

    def _press(self, handle: str, launch: dict[str, Any], number: str) -> None:
        """Ask Slurm to end what was told to stop and should have been gone by now."""
        order = spool.read(handle, spool.STOP)
        if order is None:
            return
        grace = launch["grace_s"] if order["grace_s"] is None else order["grace_s"]
        if time.time() >= order.get("asked_at", 0.0) + grace + PRESS_S:
            self._cancel(job.name_of(launch), number)

    def _cancel(self, name: str, number: str) -> None:
        """End a job; again only after a while."""
        now = time.monotonic()
        if now - self._cancelled.get(name, float("-inf")) < AGAIN_S:
            return
        self._cancelled = {k: at for k, at in self._cancelled.items() if now - at < AGAIN_S}
        self._cancelled[name] = now
        self._aside.submit(_cancel, name, number)

    def set_time_limit(self, handle: str, seconds: float | None) -> None:
        """See Runner. The limit is the shim's: Slurm's own comes from the compute's settings."""
        if spool.read(handle, spool.LAUNCH) is not None and not spool.is_over(handle):
            spool.write(handle, spool.LIMIT, {"time_limit_s": seconds})

    # --- the rest -------------------------------------------------------------------------------
    def signs(self, handles: Sequence[str]) -> list[int]:
        """See Runner: processes of other machines give none."""
        return []

    def overview(self) -> Overview:
        """See Cluster."""
        return overview()

    def how(self, handle: str) -> How | None:
        """See Runner."""
        return _HOW

    def kill_leftovers(self, handle: str) -> int:
        """See Runner: Slurm ends what a job leaves."""
        return 0

    def cleanup(self, handle: str) -> None:
        """See Runner."""
        if spool.read(handle, spool.LAUNCH) is None:
            return  # never started, or cleaned up before
        self._known.pop(handle, None)
        result = spool.read_result(handle)
        # With a result there is nothing to ask the cluster for.
        event = Ended(handle, result) if result else self._look(handle, self._queue.seen(), set())
        attempts.put_away(event)
        self._gone.pop(handle, None)


def _doubtful(handle: str, result: Result) -> bool:
    """Whether the cluster may have been behind that end: then it is asked first."""
    if result.ended_by is EndedBy.EXIT and result.exit_code == 0:
        return False
    if result.ended_by not in (EndedBy.EXIT, EndedBy.SIGNAL, EndedBy.LOST):
        return False
    return not (spool.read(handle, spool.JOB) or {}).get("decided")


def _cancel(name: str, number: str) -> None:
    try:
        commands.cancel(name, number)
    except RunnerError as error:
        log.warning("job %s is not cancelled yet: %s", name, error)


def _number(handle: str, launch: dict[str, Any], seen: Seen) -> str | None:
    """The number of an attempt's job, looked for by its name where nobody was told it."""
    record = spool.read(handle, spool.JOB)
    if record is not None:
        return str(record["number"])
    number = seen.by_name.get(job.name_of(launch))
    if number is not None:
        with suppress(OSError):  # the next look finds it again
            spool.write(handle, spool.JOB, {"number": number, "at": seen.asked_at})
    return number


def _submitted_at(handle: str) -> float:
    return float((spool.read(handle, spool.JOB) or {}).get("at", 0.0))


def _alive(handle: str, why: str = "") -> Running:
    """It lives; `why` it waits counts only until its guard is there."""
    waits = "" if spool.read(handle, spool.GUARD) else why or _HANDED_IN
    shim = spool.read(handle, spool.SHIM) or {}
    return Running(handle, shim.get("command_pid"), spool.beat_at(handle), waits)


def _beats(handle: str) -> bool:
    at = spool.beat_at(handle)
    return at is not None and time.time() - at < BEATS_S


def _unseen(handle: str, launch: dict[str, Any], by: EndedBy, message: str) -> Result:
    """The result of a command whose end nobody saw, or that never began."""
    shim = spool.read(handle, spool.SHIM) or {}
    now = time.time()
    began = min(float(shim.get("started_at", launch["launched_at"] if shim else now)), now)
    return outcomes.unseen(Cause(by, message), Span(began, now))
