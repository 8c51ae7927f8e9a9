"""The engine's loop: no logic, only pace, the lead, and an orderly end."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import close_old_connections

from studio.hosts import own
from sweeps import tasks
from sweeps.domain.turns import Turns
from sweeps.engine import builds, isolation, steps, warm
from sweeps.engine.audit import AuditLog
from sweeps.engine.bells import engine_bell
from sweeps.engine.clusters import Clusters
from sweeps.engine.disk import DiskWatch
from sweeps.engine.downloads import Downloads
from sweeps.engine.gauges import Gauges
from sweeps.engine.holders import acquire, me
from sweeps.engine.notices import Notices
from sweeps.engine.places import Place, is_here, place_of
from sweeps.engine.trash import Trash
from sweeps.engine.trouble import TROUBLE
from sweeps.engine.usage import DiskUse
from sweeps.models import Attempt
from sweeps.queries import work
from sweeps.queries.clock import database_now
from sweeps.queries.places import handle_of
from sweeps.runners import elsewhere
from sweeps.runners.registry import get_runner
from sweeps.services import leases

log = logging.getLogger(__name__)

LEAD = "engine"
LEASE_S = 10.0
# The lead is good for so long without asking: a fifth of the lease.
RENEW_S = 2.0
# Ends of commands and new ones wake the loop at once; these are for all else.
BUSY_S = 0.4
IDLE_S = 1.0
FORWARD_S = 1.0
RECONCILE_S = 2.0
QUEUE_BEAT_S = 3.0
# How long stopping all trials may take: their grace of 5 s, and room for slow machines.
DRAIN_S = 20.0

# Handles of running commands, by place.
Open = Mapping[Place, Sequence[str]]


class Engine:
    """One engine process. `end` may be called from a signal handler."""

    def __init__(self) -> None:
        self.owner = me()
        self._bell = engine_bell()
        self._ended = self._put_back = False
        self._disk = DiskWatch(settings.STUDIO_HOME, settings.STUDIO_MIN_FREE_MB)
        self._audit = AuditLog()
        self._use = DiskUse()
        self._trash = Trash()
        self._gauges = Gauges()
        self._clusters = Clusters()
        self._waker = steps.Waker()
        self._downloads = Downloads()
        self._notices = Notices()
        self._builds, self._turns = False, Turns()
        self._reconciled = self._forwarded = self._beaten = self._renewed = -math.inf
        self._shown = -math.inf

    def end(self, *, put_back: bool) -> None:
        """Leave the loop; with `put_back` running trials are stopped and queued again."""
        self._put_back = put_back
        self._ended = True
        self._bell.ring()

    def run(self) -> None:
        """Step until `end` is called."""
        begun = self._begin()
        while not self._ended:
            begun = begun or self._begin()
            self._wait(self._step() if begun else {})
        if self._put_back:
            self._drain()
        warm.dismiss()
        with suppress(*TROUBLE):  # then it runs out
            leases.release(LEAD, self.owner)

    def _begin(self) -> bool:
        """Put an end to what the last engine began; False if the database is not there yet."""
        try:
            leases.clear(tasks.draining())
            isolation.mend()
        except (*TROUBLE, OSError) as error:
            self._rest(error)
            return False
        return True

    def _wait(self, running: Open) -> None:
        """Until a command may have ended, somebody rings, or it is time to look."""
        signs = [s for at, handles in running.items() for s in get_runner(*at).signs(handles)]
        self._bell.wait(BUSY_S if signs or any(running.values()) else IDLE_S, signs)
        self._bell.hush()

    def _step(self) -> Open:
        """One round; returns what runs. Database trouble costs one round."""
        try:
            now = database_now()
            self._show(now)
            return self._lead(now) if self._leads(now) else {}
        except (*TROUBLE, OSError) as error:
            self._rest(error)
            return {}

    def _rest(self, error: Exception) -> None:
        """After trouble with the database or the disk: it costs a round, not the engine."""
        log.warning("the engine tries again: %s: %s", type(error).__name__, str(error).strip())
        self._renewed = -math.inf  # the lead may have been lost meanwhile
        close_old_connections()

    def _leads(self, now: datetime) -> bool:
        began = time.monotonic()
        if began - self._renewed >= RENEW_S:
            if not acquire(LEAD, self.owner, now, LEASE_S):
                return False
            self._renewed = began
        return True

    def _show(self, now: datetime) -> None:
        """Of several hosts' engines one leads; each says that it is there."""
        if settings.STUDIO_NODE and time.monotonic() - self._shown >= RENEW_S:
            self._shown = time.monotonic()
            leases.acquire(own(LEAD), LEAD, now, LEASE_S)

    def _still_leads(self) -> bool:
        """False for who stood still in the middle of a round: another may lead by now."""
        return time.monotonic() - self._renewed < LEASE_S

    def _lead(self, now: datetime) -> Open:
        if time.monotonic() - self._beaten >= QUEUE_BEAT_S:
            self._beaten = time.monotonic()
            tasks.beat()
        running = steps.poll(self._waker, now)
        if not self._still_leads():
            return {}
        self._disk.look(now)
        if time.monotonic() - self._forwarded >= FORWARD_S:
            self._forwarded = time.monotonic()
            steps.forward(self._waker)
            self._notices.look(now)
            self._audit.look(now)
            self._use.look()
            self._trash.look()
        if not self._still_leads():
            return {}
        if time.monotonic() - self._reconciled >= RECONCILE_S:
            self._reconciled = time.monotonic()
            steps.reconcile(self._waker, now)
            self._downloads.look(now)
            self._builds = True
        if self._builds:
            self._builds = builds.look(now, self._turns)
        self._gauges.look(now)
        self._clusters.look(now)
        return running

    def _drain(self) -> None:
        """Stop every trial and put it back in the queue, so that the next start goes on.

        Of several hosts one ends: only what runs on it.
        """
        _until(self._all_put_back, DRAIN_S)

    def _all_put_back(self) -> bool:
        try:
            return self._put_mine_back() if settings.STUDIO_NODE else self._put_all_back()
        except (*TROUBLE, OSError) as error:
            self._rest(error)
            return False

    def _put_all_back(self) -> bool:
        now = database_now()
        leases.acquire(tasks.draining(), self.owner, now, LEASE_S)
        steps.poll(self._waker, now)
        for attempt in work.running_attempts():
            runner = get_runner(*place_of(attempt.trial.sweep.compute))
            runner.stop(handle_of(attempt), reason="The studio is stopping.")
        if not builds.halt() or work.open_attempts_exist():
            return False
        # The queue outlives the engine for this: no run may stay RUNNING in MLflow.
        for attempt_id in work.unclosed_attempts():
            self._waker.wake(tasks.close_run, attempt_id)
        return not work.unclosed_attempts()

    def _put_mine_back(self) -> bool:
        now = database_now()
        leases.acquire(tasks.draining(), self.owner, now, LEASE_S)
        for attempt in filter(_is_mine, work.running_attempts()):
            get_runner("local").stop(handle_of(attempt), reason="Its host is stopping.")
        if self._leads(now):  # else who leads takes up their ends
            steps.poll(self._waker, now)
        return not any(map(_is_mine, work.running_attempts()))


def _is_mine(attempt: Attempt) -> bool:
    """Whether its command runs on this host."""
    return is_here(attempt.trial.sweep.compute) and elsewhere.began_here(handle_of(attempt))


def _until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
