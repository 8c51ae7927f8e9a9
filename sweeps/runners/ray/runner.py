"""The runner of computes of kind `ray`."""

import logging
import os
import random
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from sweeps.runners.ray import job, words
from sweeps.runners.ray.api import Api
from sweeps.runners.ray.jobs import Job, Jobs, Seen
from sweeps.runners.ray.overview import overview
from sweeps.runners.relay import keys

log = logging.getLogger(__name__)

# How long a carrier may be cut off from the studio until it ends its command; and how much later
# it has done so.
LEASE_S, AFTER_S = 900.0, 120.0
# A submission that nobody was told of is on Ray's record after so long, or never will be.
SUBMIT_LIMIT_S = 60.0
# What a carrier told last may come so long after Ray knows of its end.
SETTLE_S = 6.0
# Seconds over the grace until Ray is asked to end a job; and until it is asked again.
PRESS_S, AGAIN_S = 6.0, 15.0
# A carrier tells every two to five seconds that it is there.
BEATS_S = 15.0
# What runs as it did is looked at in all its records after so long, or twice that.
KNOWN_S = 5.0
_HANDED_IN = "Ray: handed in."
_OVERDUE = "The studio ended while it was submitting the job, which never ran."
_OUT_OF_REACH = (
    "Its machine was out of the studio's reach for longer than the lease, and has ended the "
    "command by itself. It can be run again."
)
_HOW = How(False, "Trials on a cluster start each by itself.")


class _Known(NamedTuple):
    """A command that runs: its job, and until when (monotonic) its records need no look."""

    number: str
    pid: int
    until: float


class RayRunner:
    """Runs each command as a job of one Ray cluster. A handle is the absolute path of the spool.

    Means, no facts, are kept in memory: what was asked of the cluster and when.
    """

    def __init__(self, address: str, jobs: Jobs | None = None) -> None:
        self.address = address
        self._api = Api(address)
        self._jobs = jobs or Jobs(self._api)
        self._gone: dict[str, float] = {}
        self._pressed: dict[str, float] = {}
        self._last_words: dict[str, str] = {}
        self._known: dict[str, _Known] = {}
        # Answers may take long, and nobody waits for these.
        self._aside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="ray")

    # --- starting -------------------------------------------------------------------------------
    def start(self, spec: LaunchSpec) -> str:
        """See Runner. Takes as long as Ray's answer, and the upload of code that is new to it."""
        folder, relay = os.path.abspath(spec.spool), spec.relay
        if spec.user:
            raise RunnerError("Trials on a cluster are not run by a user of this machine.")
        if relay is None:
            raise RunnerError("Trials on a Ray cluster need the studio's relay.")
        ticket, key = secrets.token_urlsafe(24), keys.new_key()
        if not attempts.claim(
            spec, folder, kept=[], relay=job.relay_record(spec, key, ticket, LEASE_S)
        ):
            return folder
        launch = spool.read(folder, spool.LAUNCH)
        if launch is None:
            raise RunnerError(f"The spool {folder} was removed.")
        keys.put(str(relay.keys), key, folder)
        number = job.name_of(launch)
        request = job.request(number, launch, relay, ticket, spec.options)
        try:
            job.bring_package(self._api, relay)
            self._api.submit(request)
        except RunnerError as error:
            if not (isinstance(error, ComputeAway) and self._is_there(number)):
                return self._not_told(folder, launch, error)
        spool.write(folder, spool.JOB, {"number": number, "at": time.time(), "request": request})
        return folder

    def _is_there(self, number: str) -> bool:
        """Whether a submission came through whose answer did not."""
        try:
            return self._api.job(number) is not None
        except RunnerError:
            return False

    def _not_told(self, folder: str, launch: dict[str, Any], error: RunnerError) -> str:
        """After a failed submission: make sure that nothing of it will run, and raise the error.

        It may have come through all the same. Whoever takes the guard's place first decides: a job
        that begins later is told to leave.
        """
        if not spool.claim(folder, spool.GUARD, {"lost": str(error)}):
            return folder  # it came through, and has begun
        _forget(folder, launch)
        if isinstance(error, ComputeAway):
            self._end_job(job.name_of(launch))
        raise error

    # --- looking --------------------------------------------------------------------------------
    def poll(self, handles: Sequence[str]) -> list[Event]:
        """See Runner. Reads spools; what the cluster said is at most some seconds old."""
        seen = self._jobs.seen()
        return [self._look(handle, seen) for handle in handles]

    def _look(self, handle: str, seen: Seen) -> Event:
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
        record = spool.read(handle, spool.JOB)
        if record is None:
            return self._untold(handle, launch, guard, seen)
        number = str(record["number"])
        found = seen.jobs.get(number)
        if result is not None:
            return self._explained(handle, result, found)
        if guard and _is_out_of_reach(handle, launch):
            return attempts.lost(handle, _OUT_OF_REACH)
        if found is None and seen.asked_at <= record["at"]:
            return _alive(handle, seen.error)
        if found is not None and found.is_live:
            self._gone.pop(handle, None)
            self._press(handle, launch, number)
            event = _alive(handle, seen.error or (words.waiting(found) if found.waits else ""))
            if event.pid is not None:
                until = time.monotonic() + KNOWN_S * (1 + random.random())  # noqa: S311
                self._known[handle] = _Known(number, event.pid, until)
            return event
        if found is not None and found.gave_up_waiting and guard is None and "request" in record:
            return self._again(handle, launch, record)
        return self._after(handle, launch, found)

    def _as_before(self, handle: str, seen: Seen) -> Running | None:
        """Of what ran a moment ago: that it runs, if nothing speaks against it. Reads no record:
        there may be hundreds."""
        known = self._known.get(handle)
        if known is None:
            return None
        found, beat_at = seen.jobs.get(known.number), spool.beat_at(handle)
        told = os.path.exists(os.path.join(handle, spool.STOP))
        is_fresh = beat_at is not None and time.time() - beat_at < BEATS_S
        if time.monotonic() > known.until or told or not is_fresh or not (found and found.is_live):
            del self._known[handle]
            return None
        return Running(handle, known.pid, beat_at)

    def _again(self, handle: str, launch: dict[str, Any], record: dict[str, Any]) -> Event:
        """Hand in anew what waited for so long that Ray gave it up: nothing of it has begun."""
        again = int(record.get("again", 0)) + 1
        number = job.name_of(launch, again)
        request = {**record["request"], "submission_id": number}
        at = time.time() + SUBMIT_LIMIT_S  # until then it may not be on Ray's record
        spool.write(
            handle, spool.JOB, {"number": number, "at": at, "request": request, "again": again}
        )
        self._aside.submit(self._hand_in, request)
        return _alive(handle)

    def _hand_in(self, request: dict[str, Any]) -> None:
        try:
            self._api.submit(request)
        except RunnerError as error:
            log.warning("job %s is not handed in again: %s", request["submission_id"], error)

    def _untold(
        self, handle: str, launch: dict[str, Any], guard: dict[str, Any] | None, seen: Seen
    ) -> Event:
        """Of an attempt of whose submission nobody was told: it may still come to be."""
        number = job.name_of(launch)
        if number in seen.jobs:
            spool.write(handle, spool.JOB, {"number": number, "at": seen.asked_at})
        elif seen.asked_at > launch["launched_at"] + SUBMIT_LIMIT_S:
            if guard is None and spool.claim(handle, spool.GUARD, {"lost": _OVERDUE}):
                _forget(handle, launch)
                return Lost(handle, _OVERDUE)
            if guard is not None and not _beats(handle):
                return self._after(handle, launch, None)
        return _alive(handle, seen.error)

    def _explained(self, handle: str, result: Result, found: Job | None) -> Event:
        """A command that did not end well, with what the cluster says about that."""
        if order := spool.read(handle, spool.STOP):
            stopped = result._replace(ended_by=EndedBy.STOPPED, message=order["reason"])
            return self._decided(handle, stopped)
        if found is None or found.is_live:
            self._jobs.hasten()
            return self._decided(handle, result) if self._is_settled(handle) else _alive(handle)
        if words.is_from_outside(found):
            text = f"{words.ending(found)} It can be run again."
            return self._decided(handle, result._replace(ended_by=EndedBy.LOST, message=text))
        return self._decided(handle, result)

    def _after(self, handle: str, launch: dict[str, Any], found: Job | None) -> Event:
        """A job that is over without a result, so far."""
        if _beats(handle):  # a node that Ray has lost from its sight works on
            return _alive(handle)
        self._ask_for_words(handle, found)
        if not self._is_settled(handle):
            return _alive(handle)
        reason = f"{words.ending(found, self._last_words.pop(handle, ''))} It can be run again."
        began = spool.read(handle, spool.GUARD) is not None
        if not began and not spool.claim(handle, spool.GUARD, {"lost": reason}):
            return _alive(handle)
        if order := spool.read(handle, spool.STOP):
            return self._decided(handle, _unseen(handle, launch, EndedBy.STOPPED, order["reason"]))
        if found is not None and found.has_no_packages:
            text = words.ending(found)
            return self._decided(handle, _unseen(handle, launch, EndedBy.NOT_STARTED, text))
        return attempts.lost(handle, reason)

    def _ask_for_words(self, handle: str, found: Job | None) -> None:
        """Have the end of a failed job's log ready when it is given up."""
        if found is None or found.status != "FAILED" or handle in self._last_words:
            return
        self._last_words[handle] = ""

        def ask() -> None:
            try:
                self._last_words[handle] = self._api.last_words(found.number)
            except RunnerError as error:
                log.info("no log of job %s: %s", found.number, error)

        self._aside.submit(ask)

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
        """See Runner. What has not begun never will; what runs is told by its carrier first."""
        if not os.path.isdir(handle) or spool.read_result(handle):
            return
        launch = spool.read(handle, spool.LAUNCH)
        attempts.order_stop(handle, grace_s, reason, asked_at=time.time())
        if launch is None or not attempts.is_ours(handle, launch):
            return
        if spool.claim(handle, spool.GUARD, {"lost": reason or "It was stopped before it began."}):
            spool.write_result(handle, _unseen(handle, launch, EndedBy.STOPPED, reason))
            self._end_job(str((spool.read(handle, spool.JOB) or {}).get("number", "")))

    def _press(self, handle: str, launch: dict[str, Any], number: str) -> None:
        """Ask Ray to end what was told to stop and should have been gone by now."""
        order = spool.read(handle, spool.STOP)
        if order is None:
            return
        grace = launch["grace_s"] if order["grace_s"] is None else order["grace_s"]
        if time.time() >= order.get("asked_at", 0.0) + grace + PRESS_S:
            self._end_job(number)

    def _end_job(self, number: str) -> None:
        """End a job; again only after a while."""
        now = time.monotonic()
        if not number or now - self._pressed.get(number, float("-inf")) < AGAIN_S:
            return
        self._pressed = {k: at for k, at in self._pressed.items() if now - at < AGAIN_S}
        self._pressed[number] = now
        self._aside.submit(self._stop_job, number)

    def _stop_job(self, number: str) -> None:
        try:
            self._api.stop(number)
        except RunnerError as error:
            log.warning("job %s is not stopped yet: %s", number, error)

    def set_time_limit(self, handle: str, seconds: float | None) -> None:
        """See Runner. The carrier takes it to its shim."""
        if spool.read(handle, spool.LAUNCH) is not None and not spool.is_over(handle):
            spool.write(handle, spool.LIMIT, {"time_limit_s": seconds})

    # --- the rest -------------------------------------------------------------------------------
    def close(self) -> None:
        """Let go of threads and connections; commands go on."""
        self._aside.shutdown()
        self._jobs.settle()

    def signs(self, handles: Sequence[str]) -> list[int]:
        """See Runner: processes of other machines give none."""
        return []

    def overview(self) -> Overview:
        """See Cluster."""
        return overview(self._api)

    def how(self, handle: str) -> How | None:
        """See Runner."""
        return _HOW

    def kill_leftovers(self, handle: str) -> int:
        """See Runner: the carrier ends what a command leaves."""
        return 0

    def cleanup(self, handle: str) -> None:
        """See Runner."""
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None:
            return  # never started, or cleaned up before
        result = spool.read_result(handle)
        # With a result there is nothing to ask the cluster for.
        event = Ended(handle, result) if result else self._look(handle, self._jobs.seen())
        record = spool.read(handle, spool.JOB)
        attempts.put_away(event)
        if "relay" in launch:
            keys.drop(launch["relay"]["keys"], launch["relay"]["key"])
        if record is not None:
            self._jobs.done_with([str(record["number"])])
        self._gone.pop(handle, None)
        self._known.pop(handle, None)


def _forget(folder: str, launch: dict[str, Any]) -> None:
    """Of what never was handed in nobody cleans up: no secret of it stays, and no way to it."""
    spool.keep_no_secrets(folder, launch)
    keys.drop(launch["relay"]["keys"], launch["relay"]["key"])


def _doubtful(handle: str, result: Result) -> bool:
    """Whether the cluster may have been behind that end: then it is asked first."""
    if result.ended_by is EndedBy.EXIT and result.exit_code == 0:
        return False
    if result.ended_by not in (EndedBy.EXIT, EndedBy.SIGNAL, EndedBy.LOST):
        return False
    return not (spool.read(handle, spool.JOB) or {}).get("decided")


def _alive(handle: str, why: str = "") -> Running:
    """It lives; `why` it waits counts only until its guard is there."""
    waits = "" if spool.read(handle, spool.GUARD) else why or _HANDED_IN
    shim = spool.read(handle, spool.SHIM) or {}
    return Running(handle, shim.get("command_pid"), spool.beat_at(handle), waits)


def _beats(handle: str) -> bool:
    at = spool.beat_at(handle)
    return at is not None and time.time() - at < BEATS_S


def _is_out_of_reach(handle: str, launch: dict[str, Any]) -> bool:
    at = spool.beat_at(handle)
    return at is not None and time.time() - at > launch["relay"]["lease_s"] + AFTER_S


def _unseen(handle: str, launch: dict[str, Any], by: EndedBy, message: str) -> Result:
    """The result of a command whose end nobody saw, or that never began."""
    shim = spool.read(handle, spool.SHIM) or {}
    now = time.time()
    began = min(float(shim.get("started_at", launch["launched_at"] if shim else now)), now)
    return outcomes.unseen(Cause(by, message), Span(began, now))
