"""Early termination where it happens: at a logged value, from the rows of that moment."""

from datetime import timedelta

import pytest

from sweeps.domain.job import EarlyTermination, FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.domain.states import Desired, TrialStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import TerminationDecision, Trial
from sweeps.queries.records import early_termination_of, objective_of
from sweeps.services import metrics, sweeps, trials
from sweeps.services.metrics import Value
from tests.api.acts import CRASH, end, start

pytestmark = pytest.mark.django_db
BANDIT = EarlyTermination("bandit", {"slack_factor": 0.1, "evaluation_interval": 1})
STOPPED = Outcome(Ending.STOPPED)


def log(attempt, now, *values, name="loss"):
    sweep = attempt.trial.sweep
    at = attempt.points.count()
    logged = [Value(name, v, at + i, 1000 + at + i) for i, v in enumerate(values)]
    early = early_termination_of(sweep)
    metrics.record(attempt, objective_of(sweep), logged, [], now=now, early=early)
    return Trial.objects.get(pk=attempt.trial_id)


@pytest.fixture
def pair(make_sweep, now):
    sweep = make_sweep(early_termination=BANDIT, limits=Limits(4, 2, 3600))
    return [start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials]


def test_a_trial_beyond_the_slack_is_wanted_stopped_with_the_numbers_that_made_it(pair, now):
    good, bad = pair
    log(good, now, 0.5, 0.4)
    assert log(bad, now, 0.5).desired == Desired.RUN
    trial = log(bad, now, 0.45)
    assert (trial.desired, trial.status) == (Desired.TERMINATE_EARLY, TrialStatus.RUNNING)
    kept, stopped = TerminationDecision.objects.filter(attempt=bad)
    assert (kept.stop, kept.report, stopped.stop, stopped.report) == (False, 1, True, 2)
    assert (stopped.value, stopped.policy) == (0.45, "bandit")
    assert stopped.threshold == pytest.approx(0.44)
    assert stopped.numbers["best"] == 0.4
    assert trial.reason == stopped.reason
    assert stopped.reason == "0.45 at report 2, needed 0.44: bandit, slack 10 % of best 0.4"
    verdict = trials.finish(bad, STOPPED, peak_memory=1, now=now)
    assert (verdict.status, verdict.reason) == (TrialStatus.EARLY_TERMINATED, stopped.reason)
    assert Trial.objects.get(pk=bad.trial_id).objective == 0.45


def test_the_first_to_report_has_nobody_to_be_measured_by(pair, now):
    first, _ = pair
    assert log(first, now, 99.0).desired == Desired.RUN
    assert not TerminationDecision.objects.exists()


def test_what_a_stopped_trial_still_logs_is_kept_and_not_judged_again(pair, now):
    good, bad = pair
    log(good, now, 0.4)
    log(bad, now, 9.0)
    count = TerminationDecision.objects.count()
    trial = log(bad, now, 8.0, 0.1)
    assert (trial.desired, trial.reports, trial.objective) == (Desired.TERMINATE_EARLY, 3, 9.0)
    assert bad.points.count() == 3
    verdict = trials.finish(bad, STOPPED, peak_memory=1, now=now)
    assert verdict.status is TrialStatus.EARLY_TERMINATED
    assert Trial.objects.get(pk=bad.trial_id).objective == 9.0
    assert TerminationDecision.objects.count() == count


def test_a_trial_that_completes_before_the_order_reaches_it_has_all_its_values(pair, now):
    good, bad = pair
    log(good, now, 0.4)
    log(bad, now, 9.0)
    log(bad, now, 0.1)
    verdict = trials.finish(bad, Outcome(Ending.EXIT, exit_code=0), peak_memory=1, now=now)
    assert verdict.status is TrialStatus.COMPLETED
    trial = Trial.objects.get(pk=bad.trial_id)
    assert (trial.objective, trial.best_report, trial.reports) == (0.1, 2, 2)


def test_only_the_primary_metric_is_judged(pair, now):
    good, bad = pair
    log(good, now, 0.1, name="other")
    assert log(bad, now, 9.0, name="other").desired == Desired.RUN
    assert not TerminationDecision.objects.exists()


def test_a_crashed_trials_lucky_value_is_no_standard(pair, now):
    lucky, other = pair
    log(lucky, now, -1000.0)
    end(lucky, now, CRASH)
    assert log(other, now, 0.5).desired == Desired.RUN
    assert not TerminationDecision.objects.exists()


def test_a_superseded_attempt_is_no_standard(pair, now):
    lost, other = pair
    log(lost, now, -1000.0)
    trials.finish(lost, Outcome(Ending.LOST), peak_memory=None, now=now)
    again = start(lost.trial_id, now + timedelta(seconds=11))
    assert again.number == 2
    assert log(other, now, 0.5).desired == Desired.RUN


def test_a_value_that_is_sent_twice_is_judged_once(pair, now):
    good, bad = pair
    log(good, now, 0.4)
    value = [Value("loss", 0.41, 0, 1000)]
    for _ in range(2):
        metrics.record(bad, objective_of(bad.trial.sweep), value, [], now=now, early=BANDIT)
    assert TerminationDecision.objects.filter(attempt=bad).count() == 1


def test_a_trial_that_nobody_judges_costs_no_query(make_sweep, now, django_assert_max_num_queries):
    sweep = make_sweep()
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    with django_assert_max_num_queries(12):
        log(attempt, now, 0.5)


def test_a_hundred_reports_at_once_are_judged_in_their_order(pair, now):
    good, bad = pair
    log(good, now, *[0.5] * 100)
    trial = log(bad, now, *[0.5] * 60, *[0.5] * 40)
    assert (trial.desired, TerminationDecision.objects.count()) == (Desired.RUN, 100)


def test_a_crashed_trial_that_waits_for_its_next_try_is_no_standard(make_sweep, now):
    sweep = make_sweep(
        early_termination=BANDIT,
        limits=Limits(4, 2, 3600),
        failure_policy=FailurePolicy(retries=1),
    )
    lucky, other = (start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials)
    log(lucky, now, -1000.0)
    end(lucky, now, CRASH)
    assert Trial.objects.get(pk=lucky.trial_id).status == TrialStatus.QUEUED
    assert log(other, now, 0.5).desired == Desired.RUN


def test_a_thousand_reports_in_one_call_take_few_queries(pair, now, django_assert_max_num_queries):
    good, bad = pair
    log(good, now, *[0.5] * 1000)
    with django_assert_max_num_queries(60):
        log(bad, now, *[0.5] * 1000)
    assert TerminationDecision.objects.filter(attempt=bad).count() == 1000
