"""Huey's envelopes: wake-ups that carry ids. Each may be lost or come twice without harm."""

import logging
import time
from collections.abc import Sequence

from django.conf import settings
from huey.contrib.djhuey import db_task

from studio.hosts import own
from sweeps.domain.states import Desired
from sweeps.engine import analyses, compute_test, forward, prune, register, runs, start
from sweeps.engine.forward import ENOUGH_S
from sweeps.engine.holders import me
from sweeps.engine.keep import kept
from sweeps.engine.outage import outage, tell
from sweeps.engine.outputs import AnotherKeeps
from sweeps.engine.turns import Turns
from sweeps.models import Sweep
from sweeps.queries import work
from sweeps.queries.clock import database_now
from sweeps.queries.environments import is_built
from sweeps.queries.fetches import all_fetched
from sweeps.queries.snapshot import next_in_line
from sweeps.services import leases, sweeps
from sweeps.tracking.client import TrackingRejected, TrackingUnavailable

log = logging.getLogger(__name__)

_OPEN_LEASE_S = 10.0
# Of the queue's seven workers so many bring values, ends and models to MLflow, so many wait for
# clusters and for tests of computes, of a workspace one, and one works out what a page asks for:
# the others start trials, however much there is to bring and however slowly a cluster answers.
_bringing = Turns(2)
_waiting = Turns(3, of_one=1)
_working_out = Turns(1)


def draining() -> str:
    """The lease under which nothing is started: the studio, or this host of it, is going down."""
    return own("draining")


@db_task()
def advance_sweep(sweep_id: int) -> None:
    """Take a sweep a step further and start what that made."""
    _advance(sweep_id)


@db_task()
def follow_up(attempt_id: int) -> None:
    """What an attempt's end makes room and need for: the next command first, then its own run."""
    sweep_id = work.sweep_of(attempt_id)
    if sweep_id is not None:
        end = time.monotonic() + ENOUGH_S
        _advance(sweep_id, one=True)
        if time.monotonic() < end:
            _bringing.take(close_run, attempt_id, _close)
        else:
            close_run(attempt_id)


def _advance(sweep_id: int, *, one: bool = False) -> None:
    """Take a sweep a step further. With `one` a single slot has come free: of trials that were
    queued before, and for which others have been woken, one is started."""
    sweep = sweeps.to_advance(sweep_id)
    if sweep is None:
        return
    if not sweep.run_id:
        if sweep.desired in (Desired.RUN, Desired.PAUSE) and not _is_ready(sweep):
            return  # Inputs or environment are on their way; whoever brings them wakes this again.
        if not _opened(sweep_id):
            return
        sweep = None  # That may have taken a while.
    now = database_now()
    step = sweeps.advance(sweep_id, now, sweep)
    if step.more:
        advance_sweep(sweep_id)
    trials = step.trials or work.next_startable(sweep_id, now)
    # At once, not by way of the queue: a slot is waiting.
    if one and not step.trials:
        _start_one(trials)
    else:
        for trial_id in trials[1:]:
            run_trial(trial_id)
        for trial_id in trials[:1]:
            _run(trial_id)
    if not trials:
        for other in next_in_line(sweep_id, now):
            advance_sweep(other)
    if step.finished:
        close_sweep(sweep_id)


def _is_ready(sweep: Sweep) -> bool:
    """True once its inputs from the web are there and its environment is built."""
    return all_fetched(sweep.pk) and is_built(sweep.environment_build_id)


def _start_one(trials: Sequence[int]) -> None:
    """Start the first that may start; where many in a row may not, the queue tries the rest."""
    end = time.monotonic() + ENOUGH_S
    for place, trial_id in enumerate(trials):
        if place and time.monotonic() > end:
            run_trial(trial_id)
        elif _run(trial_id):
            return


def _opened(sweep_id: int) -> bool:
    """True once the sweep has its MLflow parent run."""
    sweep = Sweep.objects.select_related("workspace", "created_by").get(pk=sweep_id)
    if sweep.desired != Desired.RUN and not sweep.planned:
        return True  # Cancelled before it began: it needs no run, and must not wait for MLflow.
    name, owner = f"open:{sweep_id}", me()
    if outage.lasts(name) or not leases.acquire(name, owner, database_now(), _OPEN_LEASE_S):
        return False
    try:
        with kept(name, lambda: leases.acquire(name, owner, database_now(), _OPEN_LEASE_S)):
            sweep.refresh_from_db(fields=["run_id"])
            runs.open_sweep(sweep)
    except TrackingUnavailable as error:
        outage.note(error, name)
        log.warning("sweep %s waits for tracking: %s", sweep.name, error)
        return False
    except TrackingRejected as refusal:
        # Asking again would get the same answer, and the sweep would be queued for ever.
        runs.refuse_sweep(sweep, refusal.message, database_now())
        return False
    finally:
        leases.release(name, owner)
    return True


@db_task()
def run_trial(trial_id: int) -> None:
    """Start a queued trial."""
    _run(trial_id)


def _run(trial_id: int) -> bool:
    """Start a queued trial, unless the studio is on its way down; True if it was started."""
    if leases.held(draining(), database_now()):
        return False
    owner = work.waits_on(trial_id)
    if owner is None:
        return _start(trial_id)
    return bool(_waiting.take(run_trial, trial_id, _start, owner))


def _start(trial_id: int) -> bool:
    return start.start_trial(trial_id, me(), while_at_it=vouch)


@db_task()
def recover_attempt(attempt_id: int) -> None:
    """Settle a claim whose starter died."""
    subject = f"attempt {attempt_id}"
    if outage.lasts(subject):
        return
    try:
        start.recover(attempt_id)
    except TrackingUnavailable as error:
        outage.note(error, subject)
        log.warning("attempt %s waits for tracking: %s", attempt_id, error)


@db_task()
def forward_run(run_id: str) -> None:
    """Bring the run's logged values to MLflow."""
    _bringing.take(forward_run, run_id, _forward)


def _forward(run_id: str) -> None:
    if outage.lasts(run_id):
        return
    end = time.monotonic() + ENOUGH_S
    try:
        if not forward.forward(run_id, end=end) and time.monotonic() > end:
            forward_run(run_id)  # Others had to wait long enough.
    except TrackingUnavailable as error:
        outage.note(error, run_id)
        log.warning("run %s waits for tracking: %s", run_id, error)


@db_task()
def close_run(attempt_id: int) -> None:
    """Close the MLflow run of an ended attempt; the sweep may be over with it."""
    _bringing.take(close_run, attempt_id, _close)


def _close(attempt_id: int) -> None:
    attempt = runs.attempt_to_close(attempt_id)
    subject = attempt.run_id or f"attempt {attempt_id}"
    if attempt.run_closed or outage.lasts(subject):
        return
    start.clear_away(attempt)
    try:
        if not runs.close_attempt(attempt):
            close_run(attempt_id)
            return
    except AnotherKeeps:
        return
    except TrackingUnavailable as error:
        outage.note(error, subject)
        log.warning("run %s waits for tracking: %s", attempt.run_id, error)
        return
    start.forget(attempt)
    if not work.any_live(attempt.trial.sweep_id):
        advance_sweep(attempt.trial.sweep_id)


@db_task()
def close_sweep(sweep_id: int) -> None:
    """Close the MLflow parent run of an ended sweep."""
    sweep = Sweep.objects.get(pk=sweep_id)
    if sweep.run_closed or not sweep.run_id or outage.lasts(sweep.run_id):
        return
    try:
        runs.close_sweep(sweep)
    except TrackingUnavailable as error:
        outage.note(error, sweep.run_id)
        log.warning("sweep %s waits for tracking: %s", sweep.name, error)


@db_task()
def register_model(version_id: int) -> None:
    """Bring a model that somebody wants registered into MLflow's registry."""
    _bringing.take(register_model, version_id, _register)


def _register(version_id: int) -> None:
    subject = f"model version {version_id}"
    if outage.lasts(subject):
        return
    try:
        register.register_version(version_id)
    except TrackingUnavailable as error:
        outage.note(error, subject)
        log.warning("%s waits for tracking: %s", subject, error)


@db_task()
def prune_model(model_id: int) -> None:
    """Delete a logged model that its sweep does not keep."""
    _bringing.take(prune_model, model_id, _prune)


def _prune(model_id: int) -> None:
    subject = f"logged model {model_id}"
    if outage.lasts(subject):
        return
    try:
        prune.prune_model(model_id)
    except TrackingUnavailable as error:
        outage.note(error, subject)
        log.warning("%s waits for tracking: %s", subject, error)


QUEUE_BEAT = "queue"
QUEUE_BEAT_S = 10.0


@db_task()
def beat() -> None:
    """Prove that the queue gets things done: health is what a worker did, not that it exists.

    And say whether MLflow answers, of which the queue's processes alone know.
    """
    vouch()
    tell(outage, database_now())


def vouch() -> None:
    """Say that the queue works. All its workers may be at something that takes long at once."""
    now = database_now()
    leases.acquire(QUEUE_BEAT, "queue", now, QUEUE_BEAT_S)
    if settings.STUDIO_NODE:  # each host is asked for its own queue
        leases.acquire(own(QUEUE_BEAT), "queue", now, QUEUE_BEAT_S)


@db_task()
def test_compute(compute_id: int) -> None:
    """Run a real command on a compute and keep what it showed."""
    owner = work.workspace_of(compute_id)
    _waiting.take(test_compute, compute_id, _test, owner)


def _test(compute_id: int) -> None:
    with kept("compute-test", vouch):
        compute_test.test(compute_id)


@db_task()
def analyse(sweep_id: int) -> None:
    """Work out what a page of the sweep waits for."""
    _working_out.take(analyse, sweep_id, analyses.analyse)
