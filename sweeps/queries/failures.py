"""Failed trials: how many in a row, and grouped by what they have in common."""

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class FailureGroup:
    """Trials that ended badly in the same way; `example` is the newest of them."""

    signature: str
    example: Trial
    numbers: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.numbers)


def groups(sweep: Sweep) -> list[FailureGroup]:
    """Failed, lost and timed-out trials by what they have in common, the largest group first."""
    trials = sweep.trials.filter(status__in=PROBLEMS).order_by("-ended_at", "-number")
    numbers: dict[str, list[int]] = {}
    for signature, number in trials.values_list("signature", "number"):
        numbers.setdefault(signature, []).append(number)
    newest = [own[0] for own in numbers.values()]
    shown = trials.only("number", "status", "signature", "reason", "ended_at", "sweep")
    examples = {one.number: one for one in shown.filter(number__in=newest)}
    found = [
        FailureGroup(name, examples[own[0]], sorted(own))
        for name, own in numbers.items()
        if own[0] in examples  # it may have been taken up again in between
    ]
    return sorted(found, key=lambda group: (-group.count, group.signature))
