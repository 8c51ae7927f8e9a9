"""What early termination decided of a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.domain.termination.registry import describe
from sweeps.models import TerminationDecision, Trial
from sweeps.queries.records import early_termination_of

# A page shows so many at once; the earlier ones, which all passed, are folded.
NEWEST = 5


@dataclass(frozen=True, slots=True)
class Decisions:
    """The judgements on a trial's newest attempt, by report; `policy` is the present one."""

    policy: str
    all: Sequence[TerminationDecision]

    @property
    def earlier(self) -> Sequence[TerminationDecision]:
        """Those before the newest few."""
        return self.all[:-NEWEST]

    @property
    def newest(self) -> Sequence[TerminationDecision]:
        """The newest few; the one that stopped the trial is the last of all."""
        return self.all[-NEWEST:]


def decisions_of(trial: Trial) -> Decisions:
    """What was decided of the trial's newest attempt."""
    rows = TerminationDecision.objects.filter(
        attempt__trial=trial, attempt__number=trial.attempt
    ).order_by("report")
    found = list(rows)
    policy = describe(early_termination_of(trial.sweep))
    if policy == "none" and found:
        policy = found[-1].policy.replace("_", " ")
    return Decisions(policy, found)
