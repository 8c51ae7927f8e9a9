"""A page of large things ends before its limit, and all of them come on the next ones."""

from typing import Any

import pytest

from sweeps.api import paging, trial_shapes
from sweeps.models import Attempt, MetricSummary, Sweep, Trial
from sweeps.models.metrics import to_columns
from tests.api.conftest import Caller

WS = "/workspaces/default"
COUNT = 6


@pytest.fixture
def trials(sweep: Sweep) -> list[Trial]:
    """With so many metrics: 1, 4, 4, 1, 4, 0."""
    made = [Trial.objects.create(sweep=sweep, number=n, params={}) for n in range(COUNT)]
    Sweep.objects.filter(pk=sweep.pk).update(planned=COUNT)
    for trial, count in zip(made, (1, 4, 4, 1, 4, 0), strict=True):
        attempt = Attempt.objects.create(trial=trial, number=1, token_digest=f"{trial.number}")
        for number in range(count):
            last, kind = to_columns(float(number))
            MetricSummary.objects.create(
                trial=trial, attempt=attempt, name=f"m{number}", count=1, last=last, kind=kind
            )
    return made


def pages(api: Caller, sweep: Sweep, **query: Any) -> list[list[tuple[int, int]]]:
    """Number and count of metrics, page by page."""
    found, cursor = [], ""
    while True:
        asked = {"limit": 1_000, **query} | ({"cursor": cursor} if cursor else {})
        words = "&".join(f"{name}={value}" for name, value in asked.items())
        body = api.get(f"{WS}/sweeps/{sweep.name}/trials?{words}").json()
        found.append([(item["number"], len(item["metrics"])) for item in body["items"]])
        cursor = body["next_cursor"]
        if not cursor:
            return found


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1_000, [6]), (9, [3, 3]), (8, [2, 2, 2]), (5, [2, 2, 2]), (3, [1, 1, 1, 1, 2])],
)
@pytest.mark.parametrize("together", [1, 2, 50])
def test_trials_with_many_metrics_come_in_more_pages(
    api: Caller, sweep: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch,
    most: int, sizes: list[int], together: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(trial_shapes, "MOST_METRICS", most)
    monkeypatch.setattr(trial_shapes, "_TOGETHER", together)
    found = pages(api, sweep)
    assert [one for page in found for one in page] == [*enumerate((1, 4, 4, 1, 4, 0))]
    for page in found:
        # One that has more itself comes alone, but for those without any.
        assert sum(count for _number, count in page) <= most or not sum(c for _, c in page[1:])
    if together == 50:
        assert [len(page) for page in found] == sizes


def test_pages_of_other_orders_are_whole_too(
    api: Caller, sweep: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_shapes, "MOST_METRICS", 5)
    found = [one for page in pages(api, sweep, order_by="-number") for one in page]
    assert found == [*enumerate((1, 4, 4, 1, 4, 0))][::-1]


def test_a_page_has_no_more_text_than_it_may(
    api: Caller, sweep: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    Trial.objects.update(note="\U00020000" * 1_000)
    monkeypatch.setattr(paging, "MOST_TEXT", 25_000)
    found = pages(api, sweep)
    assert [len(page) for page in found] == [2, 2, 2]
    assert [one for page in found for one in page] == [*enumerate((1, 4, 4, 1, 4, 0))]


@pytest.mark.parametrize("order", ["number", "-objective", "params.lr"])
def test_trials_with_many_parameters_come_in_more_pages(
    api: Caller,
    sweep: Sweep,
    trials: list[Trial],
    monkeypatch: pytest.MonkeyPatch,
    order: str,
) -> None:
    """However many are asked for: each row is read only where a page has room for it."""
    Trial.objects.filter(sweep=sweep).update(
        params={f"p{number}": 0.5 for number in range(100)}, flat_params={"lr": 0.5}
    )
    read = []
    init = Trial.from_db.__func__
    monkeypatch.setattr(
        Trial,
        "from_db",
        classmethod(lambda cls, *given: (read.append(1), init(cls, *given))[1]),
    )
    for module in (paging, trial_shapes):
        monkeypatch.setattr(module, "MOST_WEIGHT", 2_500)
        monkeypatch.setattr(module, "_TOGETHER", 1)
    found = pages(api, sweep, order_by=order)
    assert [len(page) for page in found] == [2, 2, 2] or order == "params.lr"
    assert sorted(number for page in found for number, _ in page) == list(range(COUNT))
    assert len(found) > 1
    assert len(read) <= 2 * COUNT


def test_sweeps_with_large_jobs_come_in_more_pages(
    api: Caller, make_sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_sweep(name=f"s{number}")
    Sweep.objects.filter(name="s2").update(search_space={"x": "y" * 5_000})
    monkeypatch.setattr(paging, "MOST_WEIGHT", 4_000)
    found, cursor = [], ""
    while cursor is not None:
        body = api.get(f"{WS}/sweeps?limit=1000&cursor={cursor}").json()
        found.append([item["name"] for item in body["items"]])
        cursor = body["next_cursor"]
    assert sorted(name for page in found for name in page) == [f"s{n}" for n in range(5)]
    assert len(found) > 1
