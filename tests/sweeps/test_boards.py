"""The columns of a sweep's trials: as the rows, brought up to date by what changed."""

from typing import Any

import numpy as np
import pytest

from sweeps.domain.board import Column
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import read_selection
from sweeps.figures.values import _seen
from sweeps.models import Sweep, Trial
from sweeps.queries import boards
from sweeps.queries.boards import board_of, metric_column
from sweeps.queries.selecting import in_order, kept
from sweeps.services.marks import mark_trial
from tests.api.acts import end, log, play, start
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.4, 0.1, None])
    sweep.refresh_from_db()
    return sweep


def numbers(sweep: Sweep, query: list[tuple[str, str]], order: str = "number") -> list[int]:
    board = board_of(sweep)
    rows = in_order(sweep, board, order)
    mask = kept(sweep, board, read_selection(query))
    found: list[int] = board.number[rows[mask[rows]]].tolist()
    return found


def test_columns_are_the_rows(played: Sweep) -> None:
    board = board_of(played)
    trials = list(Trial.objects.filter(sweep=played).order_by("number"))
    assert board.number.tolist() == [trial.number for trial in trials]
    assert [None if v != v else v for v in board.objective] == [t.objective for t in trials]
    assert list(board.params["lr"].raw) == [trial.flat_params["lr"] for trial in trials]
    for row, trial in enumerate(trials):
        if trial.started_at and trial.ended_at:
            assert board.started[row] == pytest.approx(trial.started_at.timestamp(), abs=1e-3)
            took = (trial.ended_at - trial.started_at).total_seconds()
            assert board.duration_s[row] == pytest.approx(took, abs=1e-3)
        else:
            assert np.isnan(board.duration_s[row])


def test_news_are_read_by_revision_and_old_boards_stay_as_they_were(
    played: Sweep, now: Any, django_assert_num_queries: Any
) -> None:
    old = board_of(played)
    with django_assert_num_queries(0):
        assert board_of(played) is old
    trial = Trial.objects.filter(sweep=played, status="Queued").first()
    assert trial is not None
    attempt = start(trial.pk, now)
    log(attempt, [0.05], name="loss")
    log(attempt, [7.0], name="acc")
    end(attempt, now)
    played.refresh_from_db()
    with django_assert_num_queries(1):
        new = board_of(played)
    assert np.isnan(old.objective[trial.number])
    assert new.objective[trial.number] == 0.05
    assert metric_column(played, new, "acc")[trial.number] == 7.0
    assert boards.metric_names(played) == ["loss", "acc"]


def test_pages_are_told_of_so_many_metrics_alone_and_the_primary_one_is_among_them(
    played: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial.objects.filter(sweep=played, status="Queued").first()
    assert trial is not None
    attempt = start(trial.pk, now)
    for name in ("a/1", "a/2", "b", "c", "loss"):
        log(attempt, [1.0], name=name)
    end(attempt, now)
    played.refresh_from_db()
    monkeypatch.setattr(boards, "MOST_NAMES", 3)
    assert boards.metric_names(played) == ["loss", "a/1", "a/2"]
    column = metric_column(played, board_of(played), "c")
    assert column[trial.number] == 1.0, "one that is asked for by name is there"


def test_a_metric_is_brought_up_to_date(played: Sweep, now: Any) -> None:
    before = metric_column(played, board_of(played), "loss").copy()
    trial = Trial.objects.filter(sweep=played, status="Queued").first()
    assert trial is not None
    log(start(trial.pk, now), [0.9], name="loss")
    played.refresh_from_db()
    after = metric_column(played, board_of(played), "loss")
    assert after[trial.number] == 0.9
    assert after[:3].tolist()[:2] == before[:3].tolist()[:2] == [0.4, 0.1]


def test_selections_keep_by_status_range_text_and_pick(played: Sweep) -> None:
    assert numbers(played, [("status", "Completed")]) == [0, 1]
    assert numbers(played, [("in", "objective:..0.2")]) == [1]
    assert numbers(played, [("no", "objective"), ("status", "Failed")]) == [2]
    assert numbers(played, [("q", "exit code")]) == [2]
    assert numbers(played, [("q", "#1")]) == [1]
    assert numbers(played, [("only", "1"), ("t", "2,0")]) == [0, 2]
    assert numbers(played, [("in", "params.nothing:0..1")]) == []
    assert numbers(played, [("in", "metrics.loss:0.3..0.5")]) == [0]


def test_orders_put_missing_values_last_either_way(played: Sweep) -> None:
    assert numbers(played, [], "objective")[:2] == [1, 0]
    assert numbers(played, [], "-objective")[:2] == [0, 1]
    assert numbers(played, [], "-number")[0] == len(board_of(played)) - 1
    by_lr = numbers(played, [], "-params.lr")
    values = board_of(played).params["lr"].numbers
    assert by_lr == sorted(by_lr, key=lambda number: -values[number])
    with pytest.raises(InvalidInput):
        numbers(played, [], "speed")


def test_little_used_sweeps_are_let_go(
    make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_sweep(name="first"), make_sweep(name="second")
    for sweep in (first, second):
        play(sweep, now, [0.5])
        sweep.refresh_from_db()
    boards.forget()
    monkeypatch.setattr(boards, "MOST_TRIALS", 1)
    kept_one = board_of(first)
    assert board_of(second) is board_of(second)
    assert board_of(first) is not kept_one


def test_no_address_makes_the_memory_grow(played: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions may name any number of metrics; only what trials logged is kept, and not more
    than has room."""
    board = board_of(played)
    for index in range(100):
        assert np.isnan(metric_column(played, board, f"m{index}")).all()
    assert list(boards._kept.of(played).metrics) == []
    trial = Trial.objects.filter(sweep=played, status="Queued").first()
    assert trial is not None
    attempt = start(trial.pk, NOW)
    for name in ("a", "b", "c"):
        log(attempt, [1.0], name=name)
    played.refresh_from_db()
    board = board_of(played)
    monkeypatch.setattr(boards, "MOST_VALUES", 2 * len(board))
    for name in ("a", "b", "a", "c"):
        assert metric_column(played, board, name)[3] == 1.0
    assert list(boards._kept.of(played).metrics) == ["a", "c"]


def test_a_longer_column_is_as_one_made_of_all() -> None:
    for first, more in (
        ([1.5, None, 3], [4, None]),
        ([1, 2.0], [True, "x"]),
        (["a", None], [2.5]),
        ([0.5], [0.25, 1]),
    ):
        old, whole = Column(first), Column([*first, *more])
        for _ in range(2):  # with nothing worked out yet, and with all of it
            longer = old.longer(more)
            assert list(longer.raw) == [*first, *more]
            assert longer.types == whole.types
            np.testing.assert_array_equal(longer.numbers, whole.numbers)
            np.testing.assert_array_equal(longer.missing, whole.missing)
            assert longer.words[0] == whole.words[0]
            assert (old.numbers.size, old.missing.size) == (len(first), len(first))


def test_what_was_worked_out_of_old_trials_is_not_worked_out_again(
    make_sweep: Any, now: Any
) -> None:
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.4, 0.1])
    sweep.refresh_from_db()
    column = board_of(sweep).params["lr"]
    assert not {"numbers", "missing"} & set(column.longer([0.5]).__dict__), "nobody asked yet"
    assert len(column.numbers) == len(column.missing) == len(column.raw)
    assert {"numbers", "missing"} <= set(column.longer([0.5]).__dict__)


def test_a_note_leaves_the_figures_of_a_sweep_as_they_are(played: Sweep) -> None:
    board = board_of(played)
    counts, mean = board.counts, board.mean_s
    Sweep.objects.filter(pk=played.pk).update(revision=played.revision + 1)
    played.refresh_from_db()
    newer = board_of(played)
    assert (newer.revision, board.revision) == (played.revision, played.revision - 1)
    assert newer.counts is counts
    assert newer.mean_s == mean


def test_the_best_few_are_the_first_of_all(make_sweep: Any, now: Any) -> None:
    sweep: Sweep = make_sweep(limits=Limits(7, 1, 3600))
    play(sweep, now, [0.4, 0.1, None, 0.4, 0.1, 0.7, 0.4])
    sweep.refresh_from_db()
    board = board_of(sweep)
    for minimize in (True, False):
        order = board.best_first(minimize=minimize).tolist()
        assert len(order) == 6
        for count in range(9):
            assert board.best(count, minimize=minimize).tolist() == order[:count]


def test_trials_read_in_pieces_are_as_those_read_at_once(
    played: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_trial(played.trials.get(number=1), tags=["kept"])
    played.refresh_from_db()
    whole = board_of(played)
    monkeypatch.setattr(boards, "_PIECE", 2)
    boards.forget()
    pieces = board_of(played)
    assert len(whole) == len(pieces) > 2
    assert pieces.marks == whole.marks != {}
    for name in boards._COLUMNS:
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))
        assert getattr(pieces, name).dtype == getattr(whole, name).dtype
    for name, column in whole.params.items():
        assert list(pieces.params[name].raw) == list(column.raw)


def test_a_sweep_without_trials_has_an_empty_board(make_sweep: Any) -> None:
    board = board_of(make_sweep())
    assert (len(board), board.counts, board.mean_s) == (0, {}, None)
    assert board.best(5, minimize=True).tolist() == []


def test_numbers_are_placed_without_a_word_for_each() -> None:
    many = Column([row / 7 for row in range(100)])
    assert list(_seen(many)) == [0.0, 99 / 7]
    few = Column([3, None, 1.5, 3, None, 2])
    assert list(_seen(few)) == [3, 1.5, 2]
    assert not any("words" in column.__dict__ for column in (many, few))
    assert list(_seen(Column([None, None]))) == []
    mixed = Column([*range(60), "auto", None, True])
    assert list(_seen(mixed)) == [0.0, 59.0, "auto", True]
