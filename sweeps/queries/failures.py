"""Failed trials: what counts as one, and how many there are in a row."""

from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial

# What a script, or the machine under it, did wrong.
FAILED = (TrialStatus.FAILED, TrialStatus.LOST)
# A person's wish says nothing about the script.
_SAYS_NOTHING = (TrialStatus.CANCELED,)
PROBLEMS = (TrialStatus.FAILED, TrialStatus.LOST, TrialStatus.TIMED_OUT)


def failed_in_a_row(sweep: Sweep, most: int) -> list[Trial]:
    """The newest ended trials back to the last one that went well, `most` at most."""
    ended = sweep.trials.filter(ended_at__isnull=False).exclude(status__in=_SAYS_NOTHING)
    if sweep.failures_from:
        ended = ended.filter(ended_at__gt=sweep.failures_from)
    failed: list[Trial] = []
    for trial in ended.order_by("-ended_at", "-number")[:most]:
        if not _failed(trial):
            break
        failed.append(trial)
    return failed


def _failed(trial: Trial) -> bool:
    late_and_empty = trial.status == TrialStatus.TIMED_OUT and trial.objective is None
    return trial.status in FAILED or late_and_empty
