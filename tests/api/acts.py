"""What happens to trials in these tests: they start, log, end, as the engine would have it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.records import early_termination_of, objective_of
from sweeps.services import metrics, sweeps, trials
from sweeps.services.metrics import Value
from tests.conftest import NOW

DONE = Outcome(Ending.EXIT, exit_code=0)
CRASH = Outcome(Ending.EXIT, exit_code=1)


def start(trial_id: int, now: datetime, spool: Path = Path("/spool")) -> Attempt:
    """Claim a queued trial and record that its command runs."""
    found = trials.claim(trial_id, owner="tests", spool_root=spool, now=now)
    assert found is not None
    attempt = found.attempt
    trials.record_run(attempt, f"run{attempt.pk}")
    assert trials.record_started(attempt, f"handle{attempt.pk}", now)
    return Attempt.objects.select_related("trial__sweep").get(pk=attempt.pk)


def log(attempt: Attempt, values: Sequence[float], name: str = "loss", at_ms: int = 1000) -> None:
    """Log values of one metric, a step apart."""
    logged = [Value(name, value, step, at_ms + step) for step, value in enumerate(values)]
    sweep = attempt.trial.sweep
    early = early_termination_of(sweep)
    metrics.record(attempt, objective_of(sweep), logged, [], now=NOW, early=early)


def end(attempt: Attempt, now: datetime, outcome: Outcome = DONE) -> None:
    """The command has ended, and its MLflow run is closed."""
    trials.finish(attempt, outcome, peak_memory=2**20, now=now)
    Attempt.objects.filter(pk=attempt.pk).update(run_closed=True)


def play(sweep: Sweep, now: datetime, scores: Sequence[float | None]) -> list[Trial]:
    """One ended trial per score, in turn; None: it crashes without a value. Ends the sweep when
    these were all."""
    for index, score in enumerate(scores):
        at = now + timedelta(seconds=10 * index)
        queued = sweep.trials.filter(status="Queued").order_by("number").first()
        trial_id = queued.pk if queued else sweeps.advance(sweep.pk, at).trials[0]
        attempt = start(trial_id, at)
        if score is not None:
            log(attempt, [score + 0.5, score])
        end(attempt, at + timedelta(seconds=5 + index), DONE if score is not None else CRASH)
    sweeps.advance(sweep.pk, now + timedelta(seconds=10 * len(scores)))
    sweep.refresh_from_db()
    return list(sweep.trials.order_by("number"))
