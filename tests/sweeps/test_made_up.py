"""Made-up sweeps: whole, the same by seed, and nothing that an engine would do anything about."""

import json
import random
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from studio.models import Compute, Workspace
from sweeps.domain.made_up import METRIC, MadeUp
from sweeps.domain.objective import Goal
from sweeps.engine import steps
from sweeps.models import Attempt, MetricPoint, MetricSummary, Sweep, Trial
from sweeps.queries import work
from sweeps.queries.clock import database_now
from sweeps.queries.lanes import lanes_of
from sweeps.services import control, deletion, made_up, sweeps, trials


@pytest.fixture
def make(workspace: Workspace, compute: Compute, now: Any) -> Any:
    """Makes up sweeps."""

    def make(*counts: int, **more: int) -> Sweep:
        rng = random.Random(Sweep.objects.count())
        made = MadeUp(*counts, **more)
        return made_up.synthesize(workspace, made, compute=compute, user=None, now=now, rng=rng)

    return make


def typed(*words: str) -> tuple[int, str, str]:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("sweep", "synthesize", *words, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(str(end.code))
    return code, out.getvalue(), err.getvalue()


def idle(now: Any) -> None:
    """Nothing that the engine looks for is there, and planning has nothing to say."""
    assert work.running_attempts() == work.claims_until(now + timedelta(days=1)) == []
    assert work.startable_trials(now) == work.unwanted_trials() == []
    assert work.unclosed_attempts() == work.unclosed_sweeps() == work.runs_with_outbox() == []
    assert work.live_sweeps(now).due == []
    assert not work.open_attempts_exist()
    for sweep in Sweep.objects.live():
        assert sweeps.advance(sweep.pk, now) == sweeps.Advance()


def test_it_has_all_that_was_asked_for(make: Any, now: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(made_up, "_TRIALS", 7)
    sweep = make(20, params=10, metrics=3, points=4, running=2, failed=5)
    counts = sweep.trials.values_list("status", flat=True)
    assert sorted(counts) == ["Completed"] * 13 + ["Failed"] * 5 + ["Running"] * 2
    assert list(sweep.trials.filter(status="Running").values_list("number", flat=True)) == [18, 19]
    assert (sweep.status, sweep.planned, len(sweep.search_space)) == ("Running", 20, 10)
    assert list(sweep.trials.values_list("number", flat=True)) == list(range(20))
    done = sweep.trials.filter(status="Completed")[0]
    points = MetricPoint.objects.filter(attempt__trial=done, name=METRIC).order_by("report")
    assert [(p.report, p.step) for p in points] == [(1, 0), (2, 1), (3, 2), (4, 3)]
    assert done.objective == min(p.value for p in points) == points[3].best
    summary = MetricSummary.objects.get(trial=done, name=METRIC)
    assert (summary.count, summary.lowest, summary.last) == (4, done.objective, points[3].value)
    assert done.metrics.count() == 3
    failed = sweep.trials.filter(status="Failed")[0]
    assert "exit code" in failed.reason
    assert failed.signature
    revisions = [trial.revision for trial in sweep.trials.order_by("number")]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] <= sweep.revision
    assert all(t.started_at <= (t.ended_at or now) <= now for t in sweep.trials.all())


def test_one_that_is_over_ends_as_its_trials_did(make: Any, now: Any) -> None:
    assert make(3).status == "Completed"
    sweep = make(2, failed=2)
    assert (sweep.status, sweep.ended_at, sweep.run_closed) == ("Failed", now, True)
    assert "Most often: The command ended with exit code" in sweep.reason
    idle(now)


def test_the_same_seed_makes_the_same(make: Any) -> None:
    def content(sweep: Sweep) -> list[Any]:
        points = MetricPoint.objects.filter(attempt__trial__sweep=sweep)
        return [
            *sweep.trials.values_list("number", "status", "params", "objective", "reason"),
            *points.order_by("attempt__trial__number", "name", "report").values_list("value"),
        ]

    one, same = make(9, failed=3, seed=5), make(9, failed=3, seed=5)
    assert content(one) == content(same)
    assert content(one) != content(make(9, failed=3, seed=6))
    point = {"learning_rate": 0.1}
    assert MadeUp(1, 1, seed=5).curves(0, point) != MadeUp(1, 1, seed=6).curves(0, point)


def test_the_engine_has_nothing_to_do_about_it(make: Any, now: Any, wake_ups: Any) -> None:
    sweep = make(6, running=2, failed=1)
    idle(now)
    steps.reconcile(steps.Waker(), now)
    assert wake_ups() == [("advance_sweep", sweep.pk)], "no more than a glance"
    sweep.refresh_from_db()
    assert sweep.status == "Running"


def test_the_engine_leaves_a_half_written_one_alone_and_a_person_can_end_it(
    make: Any, now: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(made_up, "_TRIALS", 2)
    real, left = made_up._insert, [1]

    def insert(*args: Any) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        real(*args)

    monkeypatch.setattr(made_up, "_insert", insert)
    with pytest.raises(KeyboardInterrupt):
        make(6)
    sweep = Sweep.objects.get()
    assert (sweep.status, sweep.planned, sweep.trials.count()) == ("Paused", 2, 2)
    idle(now)
    gone(sweep, now)


def gone(sweep: Sweep, now: Any) -> None:
    """Cancel and delete it."""
    control.cancel_sweep(sweep, actor="ann", now=now)
    sweeps.advance(sweep.pk, now)
    idle(now)
    sweep.refresh_from_db()
    assert sweep.status == "Canceled"
    deletion.delete_sweep(sweep, now)
    assert not Trial.objects.exists()


def test_what_runs_in_it_can_be_canceled(make: Any, now: Any) -> None:
    sweep = make(6, running=3)
    first = sweep.trials.get(number=3)
    assert trials.cancel_trial(first, actor="ann", now=now)
    first.refresh_from_db()
    assert (first.status, first.reason) == ("Canceled", "Canceled by ann.")
    gone(sweep, now)


def test_a_real_trial_is_still_ended_by_the_engine_alone(sweep: Sweep, now: Any) -> None:
    from tests.api.acts import start

    [first, _] = sweeps.advance(sweep.pk, now).trials
    start(first, now)
    trials.cancel_trial(Trial.objects.get(pk=first), actor="ann", now=now)
    control.cancel_sweep(sweep, actor="ann", now=now)
    assert Trial.objects.get(pk=first).status == "Running"


def test_the_command_prints_its_name_and_wakes_nobody(
    workspace: Workspace, compute: Compute, wake_ups: Any
) -> None:
    code, out, _ = typed("--trials", "3", "--points", "2")
    sweep = Sweep.objects.get()
    assert (code, out) == (0, f"{sweep.name}\n")
    assert (sweep.compute.name, sweep.compute.is_default) == ("made-up", False)
    assert sweep.compute != compute
    _, out, _ = typed("--trials", "3", "--running", "2", "--json")
    assert json.loads(out)["counts"]["Running"] == 2
    assert Sweep.objects.latest("pk").compute == sweep.compute
    assert wake_ups() == []
    assert Attempt.objects.open().count() == 0


def test_each_trial_stands_in_a_slot_that_there_is(workspace: Workspace, compute: Compute) -> None:
    for words in (("--trials", "30"), ("--trials", "20", "--running", "2"), ("--trials", "9")):
        typed(*words, "--points", "1", "--metrics", "1")
    own = Sweep.objects.latest("pk").compute
    assert own.slots > made_up.CONCURRENT
    [lanes] = lanes_of([own], database_now(), "1h")
    assert max(lane.number for lane in lanes.lanes) == own.slots
    assert sum(len(piece.attempts) for lane in lanes.lanes for piece in lane.pieces) == 59


def test_values_that_are_no_numbers_and_parameters_that_are_not_always_there(make: Any) -> None:
    sweep = make(20, 2, points=4, failed=3, diverged=6, nested=True, constant=True, long_names=True)
    assert (
        sorted(sweep.trials.values_list("status", flat=True)) == ["Completed"] * 14 + ["Failed"] * 6
    )
    never = [t for t in sweep.trials.all() if "never as a finite number" in t.reason]
    assert len(never) == 3
    assert {t.objective for t in never} == {None}
    broken = MetricPoint.objects.filter(attempt__trial__sweep=sweep, name=METRIC, value=None)
    assert set(broken.values_list("kind", flat=True)) == {"nan", "inf"}
    assert broken.values("attempt__trial").distinct().count() == 6
    names = [set(trial.flat_params) for trial in sweep.trials.all()]
    assert set.union(*names) > {"model.penalty", "model.trees", "model.depth", "schedule"}
    assert not set.intersection(*names) & {"model.penalty", "model.trees"}
    assert {t.flat_params["schedule"] for t in sweep.trials.all()} == {"cosine"}


def test_the_goal_and_the_size_of_the_objective_are_chosen(make: Any) -> None:
    up, wide = make(40, goal=Goal.MAXIMIZE), make(40, decades=6)
    assert (up.primary_metric, up.goal) == ("val_accuracy", "maximize")
    for sweep in (up, wide):
        for trial in sweep.trials.all():
            values = trial.attempts.get().points.filter(name=sweep.primary_metric)
            found = [point.value for point in values]
            assert trial.objective == (max(found) if sweep is up else min(found))
    objectives = wide.trials.values_list("objective", flat=True)
    assert 0 < min(objectives) < max(objectives) / 30


def test_all_that_cannot_be_is_told(workspace: Workspace, compute: Compute) -> None:
    code, _, err = typed("--trials", "0", "--points", "0", "--failed", "9")
    assert (code, err.splitlines()) == (
        1,
        [
            "trials: Must be from 1 to 100,000, but got 0.",
            "points: Must be from 1 to 10,000, but got 0.",
            "failed: Must be from 0 to 0, but got 9.",
        ],
    )
    assert not Sweep.objects.exists()
