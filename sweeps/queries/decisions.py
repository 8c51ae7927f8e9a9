"""What early termination decided of a trial, and where it had nothing to decide by."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.domain.states import Desired
from sweeps.domain.termination.registry import describe, is_due
from sweeps.models import MetricPoint, Revision, TerminationDecision, Trial
from sweeps.queries.records import early_termination_of

# A page shows so many at once; the earlier ones, which all passed, are folded.
NEWEST = 5
# Whoever is first reports alone for a while; a page does not count for ever.
MOST_ALONE = 1_000


@dataclass(frozen=True, slots=True)
class Decisions:
    """The judgements on a trial's newest attempt, by report; `policy` is the present one.

    `alone` are reports at which it was due and had a value, but no other trial to compare with.
    """

    policy: str
    all: Sequence[TerminationDecision]
    alone: Sequence[int] = ()

    @property
    def earlier(self) -> Sequence[TerminationDecision]:
        """Those before the newest few."""
        return self.all[:-NEWEST]

    @property
    def newest(self) -> Sequence[TerminationDecision]:
        """The newest few; the one that stopped the trial is the last of all."""
        return self.all[-NEWEST:]

    @property
    def alone_words(self) -> str:
        """ "report 1", "reports 1 and 2", "12 reports, from 1 to 23"; "" for none."""
        reports = [f"{report:,}" for report in self.alone]
        if len(reports) > 3:
            return f"{len(reports):,} reports, from {reports[0]} to {reports[-1]}"
        *first, last = reports or [""]
        return f"reports {', '.join(first)} and {last}" if first else last and f"report {last}"


def decisions_of(trial: Trial) -> Decisions:
    """What was decided of the trial's newest attempt."""
    rows = TerminationDecision.objects.filter(
        attempt__trial=trial, attempt__number=trial.attempt
    ).order_by("report")
    found = list(rows)
    policy = describe(early_termination_of(trial.sweep))
    if policy == "none" and found:
        policy = found[-1].policy.replace("_", " ")
    return Decisions(policy, found, _alone(trial, found))


def _alone(trial: Trial, decisions: Sequence[TerminationDecision]) -> list[int]:
    """Due reports of the newest attempt with a value and without a decision.

    A report without a decision has another reason where the policy was edited meanwhile, and from
    the moment on at which the trial was told to stop: nothing is said of these.
    """
    early = early_termination_of(trial.sweep)
    if early is None or not trial.reports or _was_edited(trial):
        return []
    last = trial.reports
    if trial.desired != Desired.RUN:
        last = decisions[-1].report if decisions else 0
    judged = {decision.report for decision in decisions}
    reports = range(1, min(last, MOST_ALONE) + 1)
    due = [report for report in reports if report not in judged and is_due(early, report)]
    points = MetricPoint.objects.filter(
        attempt__trial=trial,
        attempt__number=trial.attempt,
        name=trial.sweep.primary_metric,
        best__isnull=False,
        report__in=due,
    )
    return list(points.order_by("report").values_list("report", flat=True)) if due else []


def _was_edited(trial: Trial) -> bool:
    """True if the policy was changed after the newest attempt had begun."""
    began = trial.attempts.filter(number=trial.attempt).values_list("created_at", flat=True).first()
    revisions = Revision.objects.filter(sweep=trial.sweep_id, changes__has_key="early_termination")
    return bool(began and revisions.filter(at__gte=began).exists())
