"""Starting one trial: claim, MLflow run, folder, command; and taking back what went wrong."""

import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

from django.conf import settings

from sweeps.domain.problems import InvalidInput
from sweeps.domain.started import How
from sweeps.engine import isolation, runs
from sweeps.engine.bells import engine_bell
from sweeps.engine.how import how_of
from sweeps.engine.keep import kept
from sweeps.engine.launch import EnvironmentGone, spec_of, with_run
from sweeps.engine.outage import outage
from sweeps.engine.places import is_here, place_of
from sweeps.engine.trouble import is_full
from sweeps.models import Attempt
from sweeps.queries import work
from sweeps.queries.clock import database_now
from sweeps.queries.places import handle_of, spool_of
from sweeps.runners.base import ComputeAway, Lost, RunnerError
from sweeps.runners.proc import boot_id
from sweeps.runners.registry import get_runner
from sweeps.services import environments, submitted, trials
from sweeps.tracking.client import TrackingRejected, TrackingUnavailable

log = logging.getLogger(__name__)

# How long a trial waits that MLflow answers without sense, and at most.
TRACKING_WAIT_S, TRACKING_MOST_S = 3, 300
# When nobody answers: no trial is claimed before somebody does, so it need not be long.
AWAY_WAIT_S = 1
# How long when the disk is full.
FULL_WAIT_S = 10
# How long when the engine behind its compute does not answer, or has no room.
COMPUTE_WAIT_S = 10
# How long when its environment is being built again.
BUILD_WAIT_S = 15

# MLflow makes the run while we copy the code: each takes some 20 ms of the time without a command.
_aside = ThreadPoolExecutor(max_workers=8, thread_name_prefix="run")

Clock = Callable[[], datetime]


def start_trial(
    trial_id: int,
    owner: str,
    clock: Clock = database_now,
    while_at_it: Callable[[], object] = lambda: None,
) -> bool:
    """Start a queued trial if it may start; True if its command was started.

    `while_at_it` is called every few seconds while that takes long.
    """
    subject = f"trial {trial_id}"
    if outage.lasts(subject):
        return False  # A claim would come to nothing, and leave an attempt behind.
    if not work.is_queued(trial_id):
        return False  # Somebody has started it, or its sweep is still being opened in MLflow.
    root = settings.STUDIO_HOME / "trials"
    now = clock()
    claim = trials.claim(trial_id, owner=owner, spool_root=root, now=now)
    if claim is None:
        return False
    attempt = claim.attempt
    try:
        # Copying large code takes long, and so does a slow tracking server.
        with kept(
            f"claim-{attempt.pk}", lambda: trials.renew(attempt, owner, clock()), while_at_it
        ):
            return _start(attempt, claim.token, owner, clock, now)
    except TrackingUnavailable as error:
        outage.note(error, subject)
        log.warning("trial %s waits for tracking: %s", attempt.trial, error)
        trials.put_back(attempt, _reason(error), clock(), wait_s=_wait_s(attempt, error))
    except EnvironmentGone as error:
        # Not its fault: it waits for the build, however often that takes.
        if failed := environments.lose_build(error.digest):
            trials.fail_to_start(attempt, f"Its environment could not be built: {failed}", clock())
        else:
            trials.put_back(attempt, str(error), clock(), wait_s=BUILD_WAIT_S)
    except InvalidInput as error:
        trials.fail_to_start(attempt, str(error.problems[0].message), clock())
    except TrackingRejected as refusal:
        reason = f"MLflow refused its run: {refusal.message}"
        trials.fail_to_start(attempt, reason, clock())
    except ComputeAway as error:
        trials.put_back(attempt, str(error), clock(), wait_s=COMPUTE_WAIT_S)
    except (RunnerError, OSError, ValueError) as error:
        reason = f"The compute could not start it: {error}"
        if is_full(error):
            trials.put_back(attempt, f"{reason} It is tried again.", clock(), wait_s=FULL_WAIT_S)
        else:
            trials.fail_to_start(attempt, reason, clock())
    return False


def _reason(error: TrackingUnavailable) -> str:
    if not error.answered:
        return "Waiting for the tracking server, which does not answer."
    return f"MLflow did not make its run: {error}"


def _wait_s(attempt: Attempt, error: TrackingUnavailable) -> int:
    """The seconds until the next try; each leaves an attempt behind."""
    if error.retry_s is not None:
        return math.ceil(error.retry_s)
    if not error.answered:
        return AWAY_WAIT_S
    # MLflow is there, and may answer this run like that for ever.
    return min(TRACKING_WAIT_S * 2 ** min(work.put_backs(attempt), 9), TRACKING_MOST_S)


def _start(attempt: Attempt, token: str, owner: str, clock: Clock, now: datetime) -> bool:
    creation = _aside.submit(runs.new_attempt_run, attempt, now)
    try:
        spec = spec_of(attempt, token)
    finally:
        # A run that is made later than its attempt ends would be found by nobody.
        wait([creation])
    run_id = creation.result()
    if not trials.about_to_start(attempt, owner, run_id, spec.argv, clock()):
        return False  # Taken back while this starter was held up; somebody else settles it.
    runner = get_runner(*place_of(attempt.trial.sweep.compute))
    handle = runner.start(with_run(spec, run_id))
    if _record(attempt, handle, clock(), how_of(runner, handle)):
        engine_bell().ring()
        return True
    attempt.refresh_from_db(fields=["ended_at"])
    if attempt.ended_at:
        runner.stop(handle, grace_s=0, reason="Its start came too late.")
    return False


def recover(attempt_id: int, clock: Clock = database_now) -> None:
    """Settle a claim whose starter died: adopt the command if it runs, else queue it again."""
    attempt = _with_rows(attempt_id)
    if attempt.ended_at or attempt.handle:
        return
    if not attempt.run_id and (run_id := runs.find_attempt(attempt)):
        trials.record_run(attempt, run_id)
    runner = get_runner(*place_of(attempt.trial.sweep.compute))
    [event] = runner.poll([str(spool_of(attempt))])
    if isinstance(event, Lost):
        reason = "Its start was interrupted; it is tried again."
        trials.put_back(attempt, reason, clock())
    else:
        # The claim is the nearest that is known to when the command began.
        how = how_of(runner, event.handle)
        _record(attempt, event.handle, attempt.created_at, how)


def _record(attempt: Attempt, handle: str, now: datetime, how: How) -> bool:
    """Note that its command was started, or was handed to a cluster, which starts it."""
    if is_here(attempt.trial.sweep.compute):
        return trials.record_started(attempt, handle, now, boot_id(), how)
    return submitted.record(attempt, handle, how)


def clear_away(attempt: Attempt) -> None:
    """Throw away what an ended attempt's command had for itself. Before its run is closed: nobody
    comes back to it then."""
    if attempt.handle and attempt.ended_at:
        isolation.forget(spool_of(attempt))


def forget(attempt: Attempt) -> None:
    """Drop what the runner kept of an ended attempt for itself, its environment above all."""
    if attempt.handle and attempt.ended_at:
        get_runner(*place_of(attempt.trial.sweep.compute)).cleanup(handle_of(attempt))


def _with_rows(attempt_id: int) -> Attempt:
    rows = Attempt.objects.select_related(
        "trial__sweep__compute",
        "trial__sweep__workspace",
        "trial__sweep__code",
        "trial__sweep__created_by",
    )
    return rows.get(pk=attempt_id)
