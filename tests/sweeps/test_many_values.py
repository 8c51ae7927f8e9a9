"""The values of parameters of a whole sweep are bounded, wherever trials come from."""

from typing import Any

import pytest

from studio.models import Workspace
from sweeps.domain import limits
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep, Trial
from sweeps.queries import boards
from sweeps.services.edits import edit_sweep
from sweeps.spec.reader import read_job
from tests.api.acts import play
from tests.sweeps.test_bounds_of_bundles import with_trials
from tests.sweeps.test_bundles import bring, code, first, home, lines

__all__ = ["code", "first", "home"]

pytestmark = pytest.mark.django_db
TEXT = """
type: sweep
trial: {command: python t.py, code: ., environment: e}
sampling_algorithm: random
search_space:
  a: {type: uniform, min_value: 0, max_value: 1}
  b: {type: uniform, min_value: 0, max_value: 1}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 11}
"""


def test_a_job_may_not_have_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_VALUES", 22)
    assert read_job(TEXT)
    monkeypatch.setattr(limits, "MAX_VALUES", 21)
    with pytest.raises(InvalidInput, match="With 2 parameters a sweep has 10 trials at most"):
        read_job(TEXT)


def test_nor_may_it_get_more(make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep: Sweep = make_sweep()
    most = sweep.max_total_trials
    monkeypatch.setattr(limits, "MAX_VALUES", most * len(boards.parameter_columns(sweep)))
    with pytest.raises(InvalidInput, match=f"{most} trials at most"):
        edit_sweep(sweep, {"max_total_trials": most + 1}, actor="bob", now=now)
    edit_sweep(sweep, {"max_total_trials": most - 1}, actor="bob", now=now)


def test_nor_may_a_bundle_bring_them(
    first: Sweep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = with_trials(first, lines(), lines(number=1))
    assert bring(workspace, data).trials.count() == 2
    total = first.max_total_trials
    monkeypatch.setattr(limits, "MAX_VALUES", 2 * total)
    many = with_trials(first, *(lines(number=number) for number in range(total + 1)))
    with pytest.raises(InvalidInput, match="trials at most") as error:
        bring(workspace, many)
    assert [problem.line for problem in error.value.problems] == [total + 1]


def test_columns_are_made_of_few_rows_at_a_time(
    make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.5, 0.25, 0.125])
    sweep.refresh_from_db()
    boards.forget()
    whole = boards.board_of(sweep)
    monkeypatch.setattr(boards, "_PIECE_VALUES", len(boards.parameter_columns(sweep)))
    assert {len(piece) for piece in boards._pieces(sweep, -1)} == {1}
    Trial.objects.filter(sweep=sweep).update(revision=sweep.revision + 1)
    Sweep.objects.filter(pk=sweep.pk).update(revision=sweep.revision + 1)
    sweep.refresh_from_db()
    again = boards.board_of(sweep)
    assert again.number.tolist() == whole.number.tolist()
    assert {n: c.raw for n, c in again.params.items()} == {
        n: c.raw for n, c in whole.params.items()
    }
