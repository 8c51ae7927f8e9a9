"""Starting one trial: claim, MLflow run, folder, command; and taking back what went wrong."""

import logging
from datetime import datetime

from django.conf import settings

from sweeps.domain.problems import InvalidInput
from sweeps.engine import runs
from sweeps.engine.launch import spec_of
from sweeps.models import Attempt
from sweeps.runners.base import Lost, RunnerError
from sweeps.runners.registry import get_runner
from sweeps.services import trials
from sweeps.tracking.client import TrackingRejected, TrackingUnavailable

log = logging.getLogger(__name__)

# How long a trial waits when the tracking server does not answer.
TRACKING_WAIT_S = 3


def start_trial(trial_id: int, owner: str, now: datetime) -> bool:
    """Start a queued trial if it may start; True if its command was started."""
    claim = trials.claim(trial_id, owner=owner, spool_root=settings.STUDIO_HOME / "trials", now=now)
    if claim is None:
        return False
    attempt = _with_rows(claim.attempt.pk)
    runner = get_runner(attempt.trial.sweep.compute.kind)
    try:
        runs.open_attempt(attempt, now)
        spec = spec_of(attempt, claim.token)
        handle = runner.start(spec)
    except TrackingUnavailable as error:
        log.warning("trial %s waits for tracking: %s", attempt.trial, error)
        reason = "Waiting for the tracking server, which does not answer."
        trials.put_back(attempt, reason, now, wait_s=TRACKING_WAIT_S)
        return False
    except InvalidInput as error:
        trials.fail_to_start(attempt, str(error.problems[0].message), now)
        return False
    except TrackingRejected as refusal:
        trials.fail_to_start(attempt, f"MLflow refused its run: {refusal.message}", now)
        return False
    except (RunnerError, OSError, ValueError) as error:
        trials.fail_to_start(attempt, f"The compute could not start it: {error}", now)
        return False
    if trials.record_started(attempt, handle, spec.argv, now):
        return True
    attempt.refresh_from_db(fields=["ended_at"])
    if attempt.ended_at:  # Taken back while this starter was held up: the command is nobody's.
        runner.stop(handle, grace_s=0, reason="Its start came too late.")
    return False


def recover(attempt_id: int, now: datetime) -> None:
    """Settle a claim whose starter died: adopt the command if it runs, else queue it again."""
    attempt = _with_rows(attempt_id)
    if attempt.ended_at or attempt.handle:
        return
    if not attempt.run_id and (run_id := runs.find_attempt(attempt)):
        trials.record_run(attempt, run_id)
    runner = get_runner(attempt.trial.sweep.compute.kind)
    [event] = runner.poll([attempt.spool])
    if isinstance(event, Lost):
        trials.put_back(attempt, "Its start was interrupted; it is tried again.", now)
    else:
        trials.record_started(attempt, event.handle, (), now)


def _with_rows(attempt_id: int) -> Attempt:
    rows = Attempt.objects.select_related(
        "trial__sweep__compute", "trial__sweep__workspace", "trial__sweep__code"
    )
    return rows.get(pk=attempt_id)
