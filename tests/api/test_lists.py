"""Lists and what they hold: order, pages, metrics, logs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeps.domain.limits import Limits
from sweeps.domain.space_doc import parse_space
from sweeps.models import Attempt, MetricSummary, Sweep, Trial
from sweeps.services import sweeps
from tests.api.acts import end, log, play, start
from tests.api.conftest import Caller

NAN, INF = float("nan"), float("inf")


def trials_of(sweep: Sweep) -> str:
    return f"/workspaces/default/sweeps/{sweep.name}/trials"


def numbers(api: Caller, sweep: Sweep, **query: Any) -> list[int]:
    response = api.get(trials_of(sweep), **query)
    assert response.status_code == 200, response.content
    return [item["number"] for item in response.json()["items"]]


@pytest.fixture
def ranked(make_sweep: Any, now: Any) -> Sweep:
    """Trials 0-3: objectives 0.3, 0.1, none (failed), 0.2; trial 4 queued, 5 not there yet."""
    sweep: Sweep = make_sweep(limits=Limits(6, 1, 3600))
    play(sweep, now, [0.3, 0.1, None, 0.2])
    return sweep


def test_a_sweep_tells_its_counts_and_its_best(api: Caller, ranked: Sweep) -> None:
    body = api.get(f"/workspaces/default/sweeps/{ranked.name}").json()
    assert body["counts"] == {"Completed": 3, "Failed": 1, "Queued": 1}
    best = Trial.objects.get(sweep=ranked, number=1)
    assert body["best_trial"] == {
        "number": 1,
        "value": 0.1,
        "params": best.params,
        "run_id": best.run_id,
    }
    assert body["properties"] == {"best_child_run_id": best.run_id}


def test_a_trial_in_full(api: Caller, ranked: Sweep) -> None:
    body = api.get(f"{trials_of(ranked)}/1").json()
    trial = Trial.objects.get(sweep=ranked, number=1)
    assert body == {
        "number": 1,
        "status": "Completed",
        "reason": "",
        "waiting": "",
        "picked_by": "",
        "pinned": False,
        "tags": [],
        "note": "",
        "params": trial.params,
        "objective": 0.1,
        "metrics": {"loss": {"last": 0.1, "best": 0.1}},
        "attempt": 1,
        "run_id": trial.run_id,
        "started_at": "2026-03-01T12:00:10Z",
        "ended_at": "2026-03-01T12:00:16Z",
        "duration_s": 6.0,
    }


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("number", [0, 1, 2, 3, 4]),
        ("-number", [4, 3, 2, 1, 0]),
        ("objective", [1, 3, 0, 2, 4]),
        ("-objective", [0, 3, 1, 2, 4]),
        ("metrics.loss", [1, 3, 0, 2, 4]),
        ("-metrics.loss", [0, 3, 1, 2, 4]),
        ("started_at", [0, 1, 2, 3, 4]),
        ("-started_at", [3, 2, 1, 0, 4]),
        ("duration_s", [0, 1, 2, 3, 4]),
        ("-duration_s", [3, 2, 1, 0, 4]),
        ("status", [0, 1, 3, 2, 4]),
        ("metrics.never logged", [0, 1, 2, 3, 4]),
        ("-params.unknown", [0, 1, 2, 3, 4]),
    ],
)
def test_every_order_puts_missing_values_last(
    api: Caller, ranked: Sweep, order: str, wanted: list[int]
) -> None:
    assert numbers(api, ranked, order_by=order) == wanted


def test_order_by_a_parameter(api: Caller, ranked: Sweep) -> None:
    values = dict(ranked.trials.values_list("number", "flat_params__lr"))
    rising = sorted(values, key=lambda number: values[number])
    assert numbers(api, ranked, order_by="params.lr") == rising
    assert numbers(api, ranked, order_by="-params.lr") == rising[::-1]


def test_order_by_a_nested_parameter(api: Caller, make_sweep: Any, now: Any) -> None:
    space = {
        "model": {
            "type": "choice",
            "values": [
                {"kind": "svm", "c": {"type": "uniform", "min_value": 0, "max_value": 1}},
                {"kind": "tree", "depth": {"type": "choice", "values": [3, 10]}},
            ],
        }
    }
    sweep = make_sweep(search_space=parse_space(space), command="python t.py ${{args}}")
    scores = {0: 0.5, 1: None, 2: 0.25, 3: 0.75}
    for number, value in scores.items():
        flat = {"model.kind": "tree"} if value is None else {"model.c": value}
        Trial.objects.create(sweep=sweep, number=number, flat_params=flat, created_at=now)
    assert numbers(api, sweep, order_by="params.model.c") == [2, 0, 3, 1]
    assert numbers(api, sweep, order_by="-params.model.c") == [3, 0, 2, 1]


@pytest.mark.parametrize(
    "order",
    [
        "",
        "speed",
        "-",
        "--number",
        "params",
        "params.",
        "metrics.",
        "objective.x",
        "+number",
    ],
)
def test_an_unknown_order_is_refused(api: Caller, ranked: Sweep, order: str) -> None:
    response = api.get(trials_of(ranked), order_by=order)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "order_by"
    assert "params.<name>" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "a]b", "$", "a.b.c", "0", "x" * 600, "%s", "a\\", "ü"]
)
@pytest.mark.parametrize("what", ["params", "metrics"])
def test_odd_names_in_an_order_do_no_harm(api: Caller, ranked: Sweep, what: str, name: str) -> None:
    assert numbers(api, ranked, order_by=f"{what}.{name}") == [0, 1, 2, 3, 4]


def test_filter_by_one_status_or_several(api: Caller, ranked: Sweep) -> None:
    assert numbers(api, ranked, status="Failed") == [2]
    assert numbers(api, ranked, status=["Failed", "Queued"]) == [2, 4]
    response = api.get(trials_of(ranked), status="Gone")
    assert (response.status_code, response.json()["error"]["field"]) == (422, "status")
    response = api.get("/workspaces/default/sweeps", status="Gone")
    assert (response.status_code, response.json()["error"]["field"]) == (422, "status")


def test_sweeps_newest_first_by_status_without_dry_runs(
    api: Caller, make_sweep: Any, now: Any
) -> None:
    for index, name in enumerate(("old", "new", "dry")):
        sweep = make_sweep(name=name)
        at = now + timedelta(minutes=index)
        Sweep.objects.filter(pk=sweep.pk).update(created_at=at, is_dry_run=name == "dry")
    path = "/workspaces/default/sweeps"
    assert [s["name"] for s in api.get(path).json()["items"]] == ["new", "old"]
    assert api.get(path, status="Running").json() == {"items": [], "next_cursor": None}
    assert len(api.get(path, status="Queued").json()["items"]) == 2


def test_pages_through_120_trials_without_a_repeat(api: Caller, sweep: Sweep, now: Any) -> None:
    Trial.objects.bulk_create(
        Trial(sweep=sweep, number=number, objective=number % 3, created_at=now)
        for number in range(120)
    )
    for order in ("number", "-objective"):
        seen: list[int] = []
        cursor, pages = "", 0
        while True:
            body = api.get(trials_of(sweep), order_by=order, cursor=cursor).json()
            seen += [item["number"] for item in body["items"]]
            pages += 1
            cursor = body["next_cursor"]
            if cursor is None:
                break
        assert (pages, len(seen), set(seen)) == (3, 120, set(range(120)))
    whole = api.get(trials_of(sweep), limit=120).json()
    assert (len(whole["items"]), whole["next_cursor"]) == (120, None)


@pytest.mark.parametrize("path", ["", "/default/sweeps", "/default/computes", "TRIALS"])
def test_limits_and_cursors_are_checked(api: Caller, sweep: Sweep, path: str) -> None:
    url = trials_of(sweep) if path == "TRIALS" else f"/workspaces{path}"
    for limit in (0, -1, 1001, "many"):
        response = api.get(url, limit=limit)
        assert (response.status_code, response.json()["error"]["field"]) == (422, "limit")
    for cursor in ("x", "é", "o5", "bw", "a" * 99):
        response = api.get(url, cursor=cursor)
        assert (response.status_code, response.json()["error"]["field"]) == (422, "cursor")
    assert api.get(url, limit=1).status_code == 200
    assert api.get(url, limit=1000).status_code == 200


def test_numbers_that_json_does_not_have_are_strings(api: Caller, sweep: Sweep, now: Any) -> None:
    first, _ = sweeps.advance(sweep.pk, now).trials
    attempt = start(first, now)
    log(attempt, [0.5, NAN, INF, -INF])
    log(attempt, [1.0, NAN], name="a/b c%")
    response = api.get(f"{trials_of(sweep)}/0/metrics", name="loss")
    body = json.loads(response.content, parse_constant=lambda text: pytest.fail(text))
    assert body == {
        "items": [
            {"name": "loss", "step": step, "value": value, "time": f"1970-01-01T00:00:01{ms}Z"}
            for step, (value, ms) in enumerate(
                [(0.5, ""), ("NaN", ".001"), ("Infinity", ".002"), ("-Infinity", ".003")]
            )
        ],
        "next_cursor": None,
    }
    end(attempt, now)
    trial = api.get(f"{trials_of(sweep)}/0").json()
    assert trial["objective"] == 0.5
    assert trial["metrics"]["loss"] == {"last": "-Infinity", "best": 0.5}
    assert trial["metrics"]["a/b c%"] == {"last": "NaN", "best": 1.0}


def test_metrics_of_one_name_several_or_all(api: Caller, sweep: Sweep, now: Any) -> None:
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    for name in ("loss", "acc", "f1"):
        log(attempt, [0.5], name=name)
    path = f"{trials_of(sweep)}/0/metrics"

    def names(**query: Any) -> list[str]:
        return [item["name"] for item in api.get(path, **query).json()["items"]]

    assert names() == ["acc", "f1", "loss"]
    assert names(name="acc") == ["acc"]
    assert names(name=["acc", "loss"]) == ["acc", "loss"]
    assert names(name="none") == []


def test_a_clock_far_off_does_not_break_the_metrics(api: Caller, sweep: Sweep, now: Any) -> None:
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    log(attempt, [0.5], at_ms=2**62)
    response = api.get(f"{trials_of(sweep)}/0/metrics")
    assert response.status_code == 200
    assert response.json()["items"][0]["time"].startswith("9999-12-31")


@pytest.fixture
def logging(sweep: Sweep, now: Any, tmp_path: Path, settings: Any) -> Path:
    """The folder of a running trial 0's logs."""
    settings.STUDIO_HOME = tmp_path
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now, tmp_path / "trials")
    folder = Path(Attempt.objects.get(pk=attempt.pk).spool)
    folder.mkdir(parents=True)
    return folder


def test_a_log_goes_on_where_it_ended(api: Caller, sweep: Sweep, logging: Path) -> None:
    path = f"{trials_of(sweep)}/0/logs/stdout"
    empty = api.get(path)
    assert (empty.content, empty.headers["X-Next-Offset"]) == (b"", "0")
    text = "grün 🐍\n".encode()
    snake = text.index("🐍".encode())
    (logging / "stdout.log").write_bytes(text[: snake + 2])
    first = api.get(path)
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert (first.content.decode(), first.headers["X-Next-Offset"]) == ("grün ", str(snake))
    (logging / "stdout.log").write_bytes(text)
    second = api.get(path, offset=snake)
    assert (second.content.decode(), second.headers["X-Next-Offset"]) == ("🐍\n", str(len(text)))
    assert api.get(f"{trials_of(sweep)}/0/logs/stderr").content == b""


@pytest.mark.parametrize("offset", [5, 10**6, -3, 2**63, 10**40])
def test_any_offset_is_answered(api: Caller, sweep: Sweep, logging: Path, offset: int) -> None:
    (logging / "stdout.log").write_text("hello\n")
    response = api.get(f"{trials_of(sweep)}/0/logs/stdout", offset=offset)
    assert response.status_code == 200
    assert response.content == (b"hello\n" if offset < 0 else b"\n" if offset == 5 else b"")


def test_a_trial_that_never_started_has_an_empty_log(api: Caller, ranked: Sweep) -> None:
    response = api.get(f"{trials_of(ranked)}/4/logs/stdout")
    assert (response.status_code, response.headers["X-Next-Offset"]) == (200, "0")
    assert MetricSummary.objects.filter(trial__number=4).count() == 0


def test_a_compute_tells_its_slots(api: Caller, sweep: Sweep, now: Any) -> None:
    start(sweeps.advance(sweep.pk, now).trials[0], now)
    assert api.get("/workspaces/default/computes").json()["items"] == [
        {
            "name": "local",
            "kind": "local",
            "settings": {},
            "slots": 2,
            "slots_used": 1,
            "is_default": True,
            "description": "",
            "python": "",
            "isolated": False,
            "preload": True,
            "preload_modules": "",
        }
    ]
