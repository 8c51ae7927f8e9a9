"""Files of sweeps whose trials have very many metrics or values are made piece by piece."""

import json
from typing import Any

import pytest

from sweeps.models import Sweep, Trial
from sweeps.queries import boards, bundle, export, trials
from sweeps.queries.bundle import trial_lines
from sweeps.queries.export import batches, batches_of, trials_csv
from tests.api.acts import log, play, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(make_sweep: Any, now: Any) -> Sweep:
    """Three ended trials, and a running one with five metrics, the primary one with four values."""
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.4, 0.1, 0.2])
    trial = Trial.objects.filter(sweep=sweep, status="Queued").order_by("number").first()
    assert trial is not None
    attempt = start(trial.pk, now)
    for name in ("a", "b", "c", "d"):
        log(attempt, [1.0], name=name)
    log(attempt, [0.9, 0.8, 0.7, 0.6])
    sweep.refresh_from_db()
    return sweep


def shape(parts: Any) -> list[list[int]]:
    return [[trial.number for trial in part] for part in parts]


def test_trials_come_in_parts_of_as_many_metrics(
    many: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shape(batches(many)) == [[0, 1, 2, 3]]
    monkeypatch.setattr(export, "_WEIGHT", 2)
    assert shape(batches(many)) == [[0, 1], [2], [3]]
    assert shape(batches_of(many, [3, 2, 0])) == [[3], [2, 0]]
    assert shape(batches(many, points=True)) == [[0], [1], [2], [3]], "by values, two of each"


def test_trials_with_many_parameters_come_in_smaller_parts(
    many: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_LEAST", 1)
    monkeypatch.setattr(export, "_TEXT", 3 * len(json.dumps(many.search_space)))
    assert shape(batches(many)) == [[0, 1, 2], [3]]
    assert shape(batches_of(many, [3, 2, 0, 1])) == [[3, 2, 0], [1]]


def test_parts_leave_nothing_out(many: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"".join(trial_lines(many, points=True)), list(trials_csv(many))
    monkeypatch.setattr(export, "_WEIGHT", 1)
    assert (b"".join(trial_lines(many, points=True)), list(trials_csv(many))) == whole


def test_a_trial_has_so_many_values_in_a_bundle_as_an_import_takes(
    many: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_WEIGHT", 1)
    monkeypatch.setattr(bundle, "MAX_POINTS", 3)
    lines = [
        json.loads(line) for part in trial_lines(many, points=True) for line in part.splitlines()
    ]
    counts = [sum(map(len, line["points"].values())) for line in lines]
    assert counts == [2, 2, 2, 3]


def test_a_csv_has_columns_for_so_many_metrics(
    many: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOST_NAMES", 2)
    head = next(trials_csv(many)).strip().split(",")
    assert [key for key in head if key.startswith("metrics.")] == [
        "metrics.loss", "metrics.a", "metrics.b"
    ]  # fmt: skip


def test_of_very_many_names_so_many_are_kept(many: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "KNOWN_NAMES", 2)
    boards.forget()
    names = boards.metric_names(many)
    assert names[0] == "loss"
    assert len(names) <= 3
    board = boards.board_of(many)
    for name in ("loss", "a", "b", "c", "d"):
        column = boards.metric_column(many, board, name)
        assert column[3] == column[3], "one that is asked for by name is there"
    nothing = boards.metric_column(many, board, "nothing")
    assert (nothing != nothing).all()
