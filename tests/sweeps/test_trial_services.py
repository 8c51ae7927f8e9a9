"""Claims, fences and verdicts on rows."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from sweeps.domain.job import Sampling
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import Attempt, MetricPoint, MetricSummary, OutboxEntry, StateChange, Trial
from sweeps.queries.progress import progress
from sweeps.queries.records import best_trial, trial_counts
from sweeps.services import control, metrics, rows, sweeps, trials
from sweeps.services.metrics import Value
from tests.conftest import NOW, job

pytestmark = pytest.mark.django_db
LOSS = Objective("loss", Goal.MINIMIZE)
DONE = Outcome(Ending.EXIT, exit_code=0)


def claim(trial_id, now):
    return trials.claim(trial_id, owner="t", spool_root=Path("/spool"), now=now)


def started(trial_id, now, run_id="r"):
    attempt = claim(trial_id, now).attempt
    trials.record_run(attempt, f"{run_id}{attempt.pk}")
    assert trials.record_started(attempt, f"handle{attempt.pk}", now)
    return Attempt.objects.select_related("trial__sweep").get(pk=attempt.pk)


def log(attempt, *values, name="loss", start=0):
    logged = [Value(name, v, i, 1000 + i) for i, v in enumerate(values, start)]
    return metrics.record(attempt, LOSS, logged, [{"run_id": attempt.run_id}], now=NOW)


def test_a_trial_logs_under_so_many_names_and_known_ones_go_on(sweep, now):
    [first, second] = sweeps.advance(sweep.pk, now).trials
    attempt, other = started(first, now), started(second, now)
    most = metrics.MOST_NAMES - 1
    logged = [
        MetricSummary(trial_id=first, attempt=attempt, name=f"m{n}", kind="nan")
        for n in range(most)
    ]
    MetricSummary.objects.bulk_create(logged, batch_size=1_000)
    assert log(attempt, 0.5) == 1, "the last one that there is room for"
    with pytest.raises(metrics.TooManyNames):
        metrics.record(
            attempt, LOSS, [Value("loss", 0.1, 5, 5), Value("more", 1.0, 0, 1)], [{}], now=NOW
        )
    assert Trial.objects.get(pk=first).objective == 0.5, "nothing of the call is stored"
    assert OutboxEntry.objects.count() == 1
    assert log(attempt, 0.25, start=1) == 1
    assert log(other, 0.5, name="more") == 1, "each trial has its own"


def test_advancing_fills_the_slots_and_nothing_more(sweep, now):
    assert len(sweeps.advance(sweep.pk, now).trials) == 2
    assert sweeps.advance(sweep.pk, now).trials == ()
    sweep.refresh_from_db()
    assert (sweep.status, sweep.planned, sweep.started_at) == (SweepStatus.RUNNING, 2, now)


def test_the_same_seed_gives_the_same_points(make_sweep, now):
    first, second = make_sweep(name="a"), make_sweep(name="b")
    for one in (first, second):
        one.compute.slots = 9
        one.compute.save()
        sweeps.advance(one.pk, now)
    points = [list(s.trials.values_list("params", flat=True)) for s in (first, second)]
    assert points[0] == points[1] != []


def test_the_same_job_sent_twice_makes_one_sweep(workspace, compute, now):
    rng = random.Random(1)

    def made(ticket):
        return sweeps.create_sweep(
            workspace, job(), compute=compute, code=None, user=None, now=now, rng=rng, ticket=ticket
        )

    assert made("t") == made("t") != made("u")
    assert made("") != made("")


def test_a_trial_is_claimed_once(sweep, now):
    [trial_id, _] = sweeps.advance(sweep.pk, now).trials
    assert claim(trial_id, now) is not None
    assert claim(trial_id, now) is None


def test_a_claim_waits_for_a_free_slot(make_sweep, now, compute):
    compute.slots = 1
    compute.save()
    one, other = make_sweep(name="one"), make_sweep(name="other")
    [first] = sweeps.advance(one.pk, now).trials
    compute.slots = 2
    compute.save()
    [second] = sweeps.advance(other.pk, now).trials
    compute.slots = 1
    compute.save()
    assert claim(first, now) is not None
    assert claim(second, now) is None


def test_the_best_value_counts_and_a_retry_is_logged_once(sweep, now):
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)
    assert log(attempt, 0.5, 0.2, 0.9) == 3
    assert log(attempt, 0.5, 0.2, 0.9) == 0
    attempt.trial.refresh_from_db()
    trial = attempt.trial
    assert (trial.objective, trial.best_report, trial.last_value, trial.reports) == (0.2, 2, 0.9, 3)
    best = list(MetricPoint.objects.order_by("report").values_list("best", flat=True))
    assert best == [0.5, 0.2, 0.2]
    summary = MetricSummary.objects.get(trial=trial)
    assert (summary.lowest, summary.highest, summary.count) == (0.2, 0.9, 3)


def test_nan_and_infinity_are_kept_and_never_win(sweep, now):
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)
    log(attempt, float("nan"), float("-inf"), float("inf"))
    kinds = list(MetricPoint.objects.order_by("report").values_list("value", "kind"))
    assert kinds == [(None, "nan"), (None, "-inf"), (None, "inf")]
    verdict = trials.finish(attempt, DONE, peak_memory=1, now=now)
    assert verdict.status is TrialStatus.FAILED
    assert "never as a finite number" in verdict.reason
    assert best_trial(sweep) is None


def test_a_finished_trial_is_final(sweep, now):
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)
    log(attempt, 0.5)
    assert trials.finish(attempt, DONE, peak_memory=1, now=now).status is TrialStatus.COMPLETED
    again = Outcome(Ending.EXIT, exit_code=1)
    assert trials.finish(attempt, again, peak_memory=1, now=now) is None
    attempt.trial.refresh_from_db()
    assert attempt.trial.status == TrialStatus.COMPLETED
    assert Attempt.objects.get(pk=attempt.pk).run_status == "FINISHED"


def test_a_wait_before_the_next_try_counts_from_when_the_end_was_seen(sweep, now):
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)
    an_hour_fast = now + timedelta(hours=1)
    lost = Outcome(Ending.LOST)
    trials.finish(attempt, lost, peak_memory=None, now=an_hour_fast, seen=now)
    attempt.trial.refresh_from_db()
    assert attempt.trial.not_before == now + timedelta(seconds=10)


def test_a_lost_attempt_is_tried_again_and_its_late_words_are_ignored(sweep, now):
    [trial_id, _] = sweeps.advance(sweep.pk, now).trials
    first = started(trial_id, now)
    log(first, 0.1)
    assert trials.finish(first, Outcome(Ending.LOST), peak_memory=None, now=now).lost
    assert claim(trial_id, now) is None  # it backs off
    first.trial.refresh_from_db()
    assert first.trial.started_at is None  # what the lost attempt took is not the next one's
    later = now + timedelta(seconds=11)
    second = started(trial_id, later)
    assert second.number == 2
    second.trial.refresh_from_db()
    assert second.trial.objective is None
    with pytest.raises(metrics.Superseded):
        log(first, 0.0001, start=9)
    log(second, 0.4)
    trials.finish(second, DONE, peak_memory=1, now=later)
    assert best_trial(sweep).objective == 0.4


def test_cancelling_ends_queued_trials_and_asks_running_ones(sweep, now):
    running, queued = sweeps.advance(sweep.pk, now).trials
    attempt = started(running, now)
    assert control.cancel_sweep(sweep, actor="ann", now=now)
    assert not control.cancel_sweep(sweep, actor="ann", now=now)
    statuses = dict(sweep.trials.values_list("pk", "status"))
    assert statuses == {running: TrialStatus.RUNNING, queued: TrialStatus.CANCELED}
    attempt.trial.refresh_from_db()
    assert attempt.trial.desired == Desired.CANCEL
    trials.finish(attempt, Outcome(Ending.STOPPED), peak_memory=1, now=now)
    Attempt.objects.update(run_closed=True)
    assert sweeps.advance(sweep.pk, now).finished
    sweep.refresh_from_db()
    assert (sweep.status, sweep.reason) == (SweepStatus.CANCELED, "Canceled by ann.")


def test_cancelling_a_completed_sweep_is_refused(sweep, now):
    sweep.status = SweepStatus.COMPLETED
    sweep.save()
    with pytest.raises(InvalidInput, match="has ended as Completed"):
        control.cancel_sweep(sweep, actor="ann", now=now)


def test_a_cancelled_sweep_starts_nothing(sweep, now):
    trial_ids = sweeps.advance(sweep.pk, now).trials
    control.cancel_sweep(sweep, actor="ann", now=now)
    assert [claim(trial_id, now) for trial_id in trial_ids] == [None, None]


def test_a_failed_trial_is_run_again_and_wakes_its_sweep(make_sweep, now):
    from sweeps.domain.limits import Limits

    sweep = make_sweep(limits=Limits(1, 1, 3600))
    [trial_id] = sweeps.advance(sweep.pk, now).trials
    attempt = started(trial_id, now)
    trials.finish(attempt, Outcome(Ending.EXIT, exit_code=1), peak_memory=1, now=now)
    Attempt.objects.update(run_closed=True)
    assert sweeps.advance(sweep.pk, now).finished
    attempt.trial.refresh_from_db()
    assert trials.rerun_trial(attempt.trial, actor="ann", now=now)
    sweep.refresh_from_db()
    assert sweep.status == SweepStatus.RUNNING
    attempt.trial.refresh_from_db()
    assert (attempt.trial.started_at, attempt.trial.ended_at) == (None, None)
    again = started(trial_id, now)
    log(again, 0.3)
    trials.finish(again, DONE, peak_memory=1, now=now)
    assert trial_counts(sweep) == {TrialStatus.COMPLETED: 1}
    with pytest.raises(InvalidInput, match="has completed"):
        trials.rerun_trial(again.trial, actor="ann", now=now)


def test_a_claim_whose_start_was_interrupted_goes_back_uncounted(sweep, now):
    [trial_id, _] = sweeps.advance(sweep.pk, now).trials
    attempt = claim(trial_id, now).attempt
    assert trials.put_back(attempt, "tracking is away", now, wait_s=3)
    attempt.trial.refresh_from_db()
    assert (attempt.trial.status, attempt.trial.losses) == (TrialStatus.QUEUED, 0)
    assert not trials.put_back(attempt, "again", now)
    assert claim(trial_id, now + timedelta(seconds=3)) is not None


def test_every_change_is_in_the_state_log_and_raises_the_revision(sweep, now):
    [trial_id, _] = sweeps.advance(sweep.pk, now).trials
    attempt = started(trial_id, now)
    log(attempt, 0.5)
    trials.finish(attempt, DONE, peak_memory=1, now=now)
    path = StateChange.objects.filter(trial=trial_id).values_list("before", "after")
    assert list(path) == [
        ("", "Queued"),
        ("Queued", "Starting"),
        ("Starting", "Running"),
        ("Running", "Completed"),
    ]
    sweep.refresh_from_db()
    attempt.trial.refresh_from_db()
    assert attempt.trial.revision == sweep.revision > 4


def test_logging_and_outbox_are_one_transaction(sweep, now, monkeypatch):
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)

    insert = rows.insert

    def fail(*new):
        if isinstance(new[0], OutboxEntry):
            raise RuntimeError("disk full")
        insert(*new)

    monkeypatch.setattr(rows, "insert", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        log(attempt, 0.5)
    assert not MetricPoint.objects.exists()


def test_a_sampler_that_breaks_down_ends_the_sweep_with_its_words(sweep, now, monkeypatch):
    class Broken:
        def suggest(self, request):
            raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("sweeps.services.sweeps.get_sampler", lambda name: Broken())
    assert sweeps.advance(sweep.pk, now).changed
    assert sweeps.advance(sweep.pk, now).finished
    sweep.refresh_from_db()
    assert sweep.status == SweepStatus.FAILED
    assert "The random sampler failed: ZeroDivisionError: float division by zero" in sweep.reason


def ended_by_cancelling(sweep, now):
    """A sweep of four trials, cancelled while its first one ran."""
    attempt = started(sweeps.advance(sweep.pk, now).trials[0], now)
    control.cancel_sweep(sweep, actor="ann", now=now)
    with pytest.raises(InvalidInput, match="is Running"):
        trials.rerun_trial(attempt.trial, actor="ann", now=now)
    trials.finish(attempt, Outcome(Ending.STOPPED), peak_memory=1, now=now)
    attempt.trial.refresh_from_db()
    with pytest.raises(InvalidInput, match="is being ended"):
        trials.rerun_trial(attempt.trial, actor="ann", now=now)
    Attempt.objects.update(run_closed=True)
    assert sweeps.advance(sweep.pk, now).finished
    return attempt.trial


def test_a_rerun_brings_back_one_trial_and_not_the_whole_sweep(sweep, now):
    trial = ended_by_cancelling(sweep, now)
    hours_later = now + timedelta(hours=5)
    trials.rerun_trial(trial, actor="ann", now=hours_later)
    step = sweeps.advance(sweep.pk, hours_later)
    assert (step.trials, step.changed) == ((), False)
    again = started(trial.pk, hours_later)
    log(again, 0.3)
    trials.finish(again, DONE, peak_memory=1, now=hours_later)
    Attempt.objects.update(run_closed=True)
    assert sweeps.advance(sweep.pk, hours_later).finished
    sweep.refresh_from_db()
    assert (sweep.status, sweep.planned) == (SweepStatus.CANCELED, 2)
    assert sweep.reason == "Canceled by ann."
    # Two of four, as before: those that never started are not gone from the count.
    assert (progress(sweep, now).total, sweep.exhausted) == (4, False)


def test_a_space_exhausted_at_once_says_so_at_the_end(make_sweep, now):
    space = parse_space({"b": {"type": "choice", "values": ["x"]}})
    sweep = make_sweep(
        command="python t.py ${{search_space.b}}", search_space=space, sampling=Sampling("grid")
    )
    [trial_id] = sweeps.advance(sweep.pk, now).trials
    attempt = started(trial_id, now)
    log(attempt, 0.5)
    trials.finish(attempt, DONE, peak_memory=1, now=now)
    Attempt.objects.update(run_closed=True)
    assert sweeps.advance(sweep.pk, now).finished
    sweep.refresh_from_db()
    assert "have been tried" in sweep.reason or "has been tried" in sweep.reason
    assert sweep.started_at == now


def test_a_claim_can_be_renewed_until_it_is_taken_back(sweep, now):
    attempt = claim(sweeps.advance(sweep.pk, now).trials[0], now).attempt
    later = now + timedelta(seconds=8)
    assert trials.renew(attempt, "t", later)
    assert not trials.renew(attempt, "somebody else", later)
    attempt.refresh_from_db()
    assert attempt.lease_expires_at == later + trials.CLAIM_LEASE
    assert trials.about_to_start(attempt, "t", "run7", ("python", "t.py"), later)
    trials.put_back(attempt, "taken back", later)
    assert not trials.renew(attempt, "t", later)
    assert not trials.about_to_start(attempt, "t", "run7", ("python", "t.py"), later)


def test_a_trial_cancelled_while_it_started_has_its_one_accepted_attempt(sweep, now):
    attempt = claim(sweeps.advance(sweep.pk, now).trials[0], now).attempt
    control.cancel_sweep(sweep, actor="ann", now=now)
    trials.put_back(attempt, "interrupted", now)
    attempt.refresh_from_db()
    attempt.trial.refresh_from_db()
    assert (attempt.accepted, attempt.trial.status) == (True, TrialStatus.CANCELED)


def sentence(attempt):
    """What a policy does to a trial that has logged a value."""
    reason = "0.9 at report 1, needed 0.5: bandit"
    row = Trial.objects.filter(pk=attempt.trial_id)
    row.update(desired=Desired.TERMINATE_EARLY, reason=reason)
    return reason


def test_a_sentenced_trial_whose_start_was_cut_off_is_terminated_early_not_canceled(sweep, now):
    attempt = claim(sweeps.advance(sweep.pk, now).trials[0], now).attempt
    reason = sentence(attempt)
    trials.put_back(attempt, "interrupted", now)
    attempt.trial.refresh_from_db()
    assert (attempt.trial.status, attempt.trial.reason) == (TrialStatus.EARLY_TERMINATED, reason)


@pytest.mark.parametrize("whom", ["sweep", "trial"])
def test_cancelling_leaves_a_sentenced_trial_its_sentence(sweep, now, whom):
    attempt = claim(sweeps.advance(sweep.pk, now).trials[0], now).attempt
    reason = sentence(attempt)
    if whom == "sweep":
        assert control.cancel_sweep(sweep, actor="ann", now=now)
    else:
        assert not trials.cancel_trial(attempt.trial, actor="ann", now=now)
    attempt.trial.refresh_from_db()
    assert (attempt.trial.desired, attempt.trial.reason) == (Desired.TERMINATE_EARLY, reason)


def test_folders_and_names_outside_the_database_do_not_come_again_with_its_keys(make_sweep, now):
    one, other = make_sweep(name="one"), make_sweep(name="other")
    assert one.uid != other.uid
    attempt = claim(sweeps.advance(one.pk, now).trials[0], now).attempt
    assert one.uid in attempt.spool
