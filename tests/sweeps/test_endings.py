"""Why a sweep ends: what it says survives pauses, and the trials that are run again afterwards."""

import pytest

from studio.models import Compute
from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import SweepStatus
from sweeps.queries.endings import former_end, ran_out
from sweeps.queries.progress import progress
from sweeps.services import control, sweeps, trials
from sweeps.services.edits import edit_sweep
from sweeps.services.picks import add_trial
from tests.api.acts import CRASH, end, log, play, start

pytestmark = pytest.mark.django_db
ANN = {"actor": "ann"}
ALL = "All 2 points of the grid have been tried."


def ending(sweep):
    sweep.refresh_from_db()
    return sweep.status, sweep.reason


def run(trial_id, now, score=0.5):
    attempt = start(trial_id, now)
    if score is not None:
        log(attempt, [score])
    end(attempt, now, *([] if score is not None else [CRASH]))


def run_again(trial, now, score=0.5):
    assert trials.rerun_trial(trial, **ANN, now=now)
    sweeps.advance(trial.sweep_id, now)
    run(trial.pk, now, score)
    assert sweeps.advance(trial.sweep_id, now).finished


@pytest.fixture(autouse=True)
def room(compute):
    """A free slot more than the grid has points."""
    Compute.objects.update(slots=3)


@pytest.fixture
def make(room, make_sweep):
    """Makes sweeps that have their run in MLflow."""

    def make(**changes):
        sweep = make_sweep(**changes)
        sweeps.record_run(sweep, "1", "run")
        return sweep

    return make


@pytest.fixture
def grid(make):
    """Two points, though it might try ten."""
    return make(
        command="python t.py ${{search_space.b}}",
        search_space=parse_space({"b": {"type": "choice", "values": ["x", "y"]}}),
        sampling=Sampling("grid"),
        limits=Limits(10, 3, 3600),
    )


@pytest.fixture
def canceled(make, now):
    """The first of four trials crashed, the second waited when Ann canceled the sweep."""
    sweep = make(limits=Limits(4, 1, 3600))
    play(sweep, now, [None])
    control.cancel_sweep(sweep, **ANN, now=now)
    assert sweeps.advance(sweep.pk, now).finished
    return sweep


# --- A search space without further points ------------------------------------------------------


def test_a_tried_out_space_is_the_reason_also_after_a_pause(grid, now):
    first, second = sweeps.advance(grid.pk, now).trials
    assert ending(grid) == (SweepStatus.RUNNING, ALL)
    run(first, now)
    control.pause_sweep(grid, **ANN, now=now)
    control.resume_sweep(grid, **ANN, now=now)
    assert ending(grid) == (SweepStatus.RUNNING, ALL)
    run(second, now)
    assert sweeps.advance(grid.pk, now).finished
    assert ending(grid) == (SweepStatus.COMPLETED, ALL)


def test_a_tried_out_space_is_the_reason_of_a_sweep_that_ends_while_paused(grid, now):
    both = sweeps.advance(grid.pk, now).trials
    for trial_id in both:
        attempt = start(trial_id, now)
        log(attempt, [0.5])
        control.pause_sweep(grid, **ANN, now=now)
        end(attempt, now)
        control.resume_sweep(grid, **ANN, now=now)
    control.pause_sweep(grid, **ANN, now=now)
    assert sweeps.advance(grid.pk, now).finished
    assert ending(grid) == (SweepStatus.COMPLETED, ALL)


def test_a_tried_out_space_is_news_for_pages(grid, now):
    before = grid.revision
    sweeps.advance(grid.pk, now)
    grid.refresh_from_db()
    # Two new trials, the start, and that there will be no more.
    assert grid.revision == before + 4
    change = grid.changes.get(trial=None, before="Running", after="Running")
    assert (change.reason, change.actor) == (ALL, "studio")
    assert ran_out(grid) == ALL


def test_a_trial_run_again_leaves_a_tried_out_space_tried_out(grid, now):
    first, second = sweeps.advance(grid.pk, now).trials
    run(first, now)
    run(second, now, None)
    assert sweeps.advance(grid.pk, now).finished
    run_again(grid.trials.get(pk=second), now)
    assert ending(grid) == (SweepStatus.COMPLETED, ALL)
    assert (grid.exhausted, progress(grid, now).total) == (True, 2)


# --- Trials that are run again after the end ----------------------------------------------------


@pytest.mark.parametrize("score", [0.5, None])
def test_a_canceled_sweep_whose_trial_ran_again_is_a_canceled_sweep(canceled, now, score):
    for _ in range(2):
        run_again(canceled.trials.get(number=0), now, score)
        assert ending(canceled) == (SweepStatus.CANCELED, "Canceled by ann.")
        assert progress(canceled, now).total == 4
        if score is not None:
            break


def test_so_it_is_when_it_was_paused_meanwhile(canceled, now):
    trial = canceled.trials.get(number=0)
    trials.rerun_trial(trial, **ANN, now=now)
    control.pause_sweep(canceled, actor="bob", now=now)
    control.resume_sweep(canceled, actor="bob", now=now)
    assert ending(canceled) == (SweepStatus.RUNNING, "")
    run(trial.pk, now)
    assert sweeps.advance(canceled.pk, now).finished
    assert ending(canceled) == (SweepStatus.CANCELED, "Canceled by ann.")


def test_a_picked_trial_makes_a_canceled_sweep_no_other(canceled, now):
    trial = add_trial(canceled, {"lr": 0.5, "boosting": "dart"}, **ANN, now=now)
    run(trial.pk, now)
    assert sweeps.advance(canceled.pk, now).finished
    assert ending(canceled) == (SweepStatus.CANCELED, "Canceled by ann.")


def test_a_failed_sweep_completes_with_the_first_result_of_a_trial_run_again(make, now):
    sweep = make(limits=Limits(4, 1, 3600))
    trial = play(sweep, now, [None])[0]
    control.stop_sweep(sweep, **ANN, now=now)
    assert sweeps.advance(sweep.pk, now).finished
    status, reason = ending(sweep)
    assert status == SweepStatus.FAILED
    run_again(trial, now, None)
    assert ending(sweep) == (status, reason)
    run_again(sweep.trials.get(number=0), now)
    assert ending(sweep) == (SweepStatus.COMPLETED, "Stopped by ann.")


@pytest.mark.parametrize("back_first", [False, True])
def test_an_extended_sweep_ends_anew(canceled, now, back_first):
    """Whoever extends it takes the cancelling back, also while it is back for a single trial."""
    trial = canceled.trials.get(number=0)
    if back_first:
        trials.rerun_trial(trial, **ANN, now=now)
    canceled.refresh_from_db()
    edit_sweep(canceled, {"max_total_trials": 5}, **ANN, now=now)
    play(canceled, now, [0.5] * (4 if back_first else 3))
    assert ending(canceled) == (SweepStatus.COMPLETED, "")


def test_an_extended_grid_that_runs_out_ends_anew(grid, now):
    sweeps.advance(grid.pk, now)
    control.cancel_sweep(grid, **ANN, now=now)
    assert sweeps.advance(grid.pk, now).finished
    grid.refresh_from_db()
    edit_sweep(grid, {"max_total_trials": 11}, **ANN, now=now)
    for trial in grid.trials.all():
        trials.rerun_trial(trial, **ANN, now=now)
        run(trial.pk, now)
    sweeps.advance(grid.pk, now)
    grid.refresh_from_db()
    assert former_end(grid) is None
    assert sweeps.advance(grid.pk, now).finished
    assert ending(grid) == (SweepStatus.COMPLETED, ALL)
