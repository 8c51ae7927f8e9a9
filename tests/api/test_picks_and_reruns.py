"""Trials that people pick, run again, and what the API tells of failures and decisions."""

from collections.abc import Callable
from typing import Any

import pytest

from sweeps.domain.job import EarlyTermination, Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.space_doc import parse_space
from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import Sweep, TerminationDecision, Trial
from sweeps.services import control, sweeps
from tests.api.acts import end, log, play, start
from tests.api.conftest import Caller

WakeUps = Callable[[], list[tuple[str, int]]]
POINT = {"lr": 0.5, "boosting": "dart"}
NESTED = {
    "model": {
        "type": "choice",
        "values": [
            {"kind": "svm", "c": {"type": "uniform", "min_value": 0, "max_value": 9}},
            "mlp",
        ],
    }
}


def trials_of(sweep: Sweep, more: str = "") -> str:
    return f"/workspaces/default/sweeps/{sweep.name}/trials{more}"


# --- Picked points ------------------------------------------------------------------------------


def test_a_picked_point_comes_next(api: Caller, sweep: Sweep, now: Any, wake_ups: WakeUps) -> None:
    play(sweep, now, [0.4])
    response = api.post(trials_of(sweep), {"params": POINT})
    assert response.status_code == 201, response.json()
    body = response.json()
    trial = Trial.objects.get(sweep=sweep, picked_by="bob")
    assert (body["number"], body["params"], body["picked_by"]) == (trial.number, POINT, "bob")
    assert body["status"] == "Queued"
    assert wake_ups() == [("advance_sweep", sweep.pk), ("run_trial", trial.pk)]
    assert api.get(trials_of(sweep, f"/{trial.number}")).json() == body


def test_a_pick_grows_a_used_up_total_and_revives_an_ended_sweep(
    api: Caller, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    assert api.post(trials_of(sweep), {"params": POINT}).json()["number"] == 4
    body = api.get(f"/workspaces/default/sweeps/{sweep.name}").json()
    assert (body["status"], body["limits"]["max_total_trials"]) == ("Running", 5)
    revisions = api.get(f"/workspaces/default/sweeps/{sweep.name}/revisions").json()["items"]
    assert [item["changes"] for item in revisions] == [{"max_total_trials": [4, 5]}]


@pytest.mark.parametrize(
    ("params", "nested"),
    [
        ({"model.kind": "svm", "model.c": 2.5}, {"model": {"kind": "svm", "c": 2.5}}),
        ({"model": {"kind": "svm", "c": 2}}, {"model": {"kind": "svm", "c": 2.0}}),
        ({"model": {"kind": "svm"}, "model.c": 2.5}, {"model": {"kind": "svm", "c": 2.5}}),
        ({"model": "mlp"}, {"model": "mlp"}),
    ],
)
def test_dotted_names_are_taken(
    api: Caller, make_sweep: Any, params: dict[str, Any], nested: dict[str, Any]
) -> None:
    sweep = make_sweep(
        search_space=parse_space(NESTED), command="python t.py ${{search_space.model}}"
    )
    response = api.post(trials_of(sweep), {"params": params})
    assert (response.status_code, response.json().get("params")) == (201, nested)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"params": {"lr": 0.5}}, ["params.boosting"]),
        ({"params": {**POINT, "lr": 2}}, ["params.lr"]),
        ({"params": {**POINT, "lr": "0.5"}}, ["params.lr"]),
        ({"params": {**POINT, "boosting": "rf"}}, ["params.boosting"]),
        ({"params": {**POINT, "lrr": 1}}, ["params.lrr"]),
        ({"params": {**POINT, "lr.x": 1}}, ["params.lr.x"]),
        ({"params": {"lr": {"a": {"b": 1}}, "lr.a": 2, "boosting": "rf"}}, ["params.lr.a"]),
        ({"params": {**POINT, "boosting": "a\0b"}}, ["params.boosting"]),
        ({"params": {}}, ["params.lr", "params.boosting"]),
        ({}, ["params.lr", "params.boosting"]),
        ({"params": [1]}, ["params"]),
        ({"parms": POINT}, ["parms"]),
        ([], [None]),
    ],
)
def test_a_point_outside_the_space_is_told_by_parameter(
    api: Caller, sweep: Sweep, body: Any, fields: list[str | None]
) -> None:
    response = api.post(trials_of(sweep), body)
    assert response.status_code == 422
    assert [problem.get("field") for problem in response.json()["errors"]] == fields
    assert not Trial.objects.exists()


def test_a_deep_or_endless_point_is_refused(api: Caller, sweep: Sweep) -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    response = api.post(trials_of(sweep), {"params": {**POINT, "lr": deep}})
    assert response.status_code == 422
    assert "nested more than" in response.json()["error"]["message"]
    for number in ("NaN", "1e999", "9" * 5000):
        text = f'{{"params": {{"lr": {number}, "boosting": "dart"}}}}'
        url = f"/api/v1{trials_of(sweep)}"
        response = api.client.post(url, text, content_type="application/json")
        assert response.status_code == 422
    assert not Trial.objects.exists()


def test_a_pick_knows_the_base_of_the_logarithms(api: Caller, make_sweep: Any) -> None:
    space = {"lr": {"type": "loguniform", "min_value": -3, "max_value": 0}}
    sweep = make_sweep(
        search_space=parse_space(space),
        command="python t.py ${{search_space.lr}}",
        sampling=Sampling("random", logbase=10.0),
    )
    # 0.001 is 10^-3, which e^-3 = 0.0498 would leave out.
    response = api.post(trials_of(sweep), {"params": {"lr": 0.001}})
    assert (response.status_code, response.json().get("params")) == (201, {"lr": 0.001})


def test_no_point_is_added_to_a_sweep_that_is_being_ended(
    api: Caller, sweep: Sweep, now: Any
) -> None:
    start(sweeps.advance(sweep.pk, now).trials[0], now)
    control.stop_sweep(sweep, actor="bob", now=now)
    response = api.post(trials_of(sweep), {"params": POINT})
    assert response.status_code == 409
    assert "field" not in response.json()["error"]


# --- Failures -----------------------------------------------------------------------------------


@pytest.fixture
def failed(make_sweep: Any, now: Any) -> Sweep:
    """Trials 0 and 2 crash alike, 1 completes, 3 is killed by a signal of its own."""
    made: Sweep = make_sweep(limits=Limits(4, 1, 3600))
    play(made, now, [None, 0.3, None])
    attempt = start(made.trials.get(number=3).pk, now)
    end(attempt, now, Outcome(Ending.EXIT, signal=11))
    sweeps.advance(made.pk, now)
    made.refresh_from_db()
    return made


def test_failures_are_told_in_groups(api: Caller, failed: Sweep) -> None:
    path = f"/workspaces/default/sweeps/{failed.name}/failures"
    body = api.get(path).json()
    newest = Trial.objects.get(sweep=failed, number=2)
    assert body["items"][0] == {
        "signature": newest.signature,
        "count": 2,
        "numbers": [0, 2],
        "example": 2,
        "status": "Failed",
        "reason": newest.reason,
    }
    assert [item["numbers"] for item in body["items"]] == [[0, 2], [3]]
    first = api.get(path, limit=1).json()
    assert len(first["items"]) == 1
    assert first["next_cursor"]


def test_all_failed_trials_run_again_once(api: Caller, failed: Sweep, wake_ups: WakeUps) -> None:
    once = api.post(trials_of(failed, "/rerun"))
    assert once.status_code == 200
    assert once.json()["rerun"] == [0, 2, 3]
    assert once.json()["sweep"]["status"] == "Running"
    assert once.json()["sweep"]["counts"] == {"Completed": 1, "Queued": 3}
    # As many as may run at once are woken; the engine takes up the others.
    first = Trial.objects.get(sweep=failed, number=0)
    assert wake_ups() == [("run_trial", first.pk), ("advance_sweep", failed.pk)]
    again = api.post(trials_of(failed, "/rerun"))
    assert (again.status_code, again.json()["rerun"]) == (200, [])


def test_failed_trials_of_one_signature_run_again(api: Caller, failed: Sweep) -> None:
    signature = Trial.objects.get(sweep=failed, number=3).signature
    assert signature
    response = api.post(trials_of(failed, "/rerun"), {"signature": signature})
    assert response.json()["rerun"] == [3]
    assert api.post(trials_of(failed, "/rerun"), {"signature": "none"}).json()["rerun"] == []
    assert api.post(trials_of(failed, "/rerun"), {"signature": 3}).status_code == 422
    assert api.post(trials_of(failed, "/rerun"), {"sig": "x"}).status_code == 422


def test_nothing_runs_again_while_the_sweep_is_being_ended(
    api: Caller, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [None])
    start(sweep.trials.filter(status="Queued")[0].pk, now)
    control.stop_sweep(sweep, actor="bob", now=now)
    response = api.post(trials_of(sweep, "/rerun"))
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "conflict"


# --- Decisions ----------------------------------------------------------------------------------


def test_decisions_are_told_with_their_numbers(api: Caller, make_sweep: Any, now: Any) -> None:
    bandit = EarlyTermination("bandit", {"slack_factor": 0.1})
    sweep = make_sweep(early_termination=bandit)
    good, bad = (start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials)
    log(good, [0.2, 0.1])
    log(bad, [0.21, 0.4])
    assert api.get(trials_of(sweep, "/0/decisions")).json()["items"] == []
    body = api.get(trials_of(sweep, "/1/decisions")).json()
    first, second = body["items"]
    assert (first["report"], first["stop"], first["attempt"]) == (1, False, 1)
    assert (second["report"], second["stop"], second["policy"]) == (2, True, "bandit")
    assert second["value"] == 0.21
    assert second["threshold"] == pytest.approx(0.11)
    assert second["numbers"]["best"] == 0.1
    assert "0.21 at report 2, needed 0.11" in second["reason"]
    assert second["at"].startswith("2026-03-01T12:00:00")


def test_numbers_that_json_does_not_have_are_words(api: Caller, sweep: Sweep, now: Any) -> None:
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    TerminationDecision.objects.create(
        attempt=attempt, report=1, policy="p", stop=False, value=float("-inf"), threshold=None,
        reason="", numbers={"n": 1},
    )  # fmt: skip
    [item] = api.get(trials_of(sweep, "/0/decisions")).json()["items"]
    assert (item["value"], item["threshold"], item["numbers"]) == ("-Infinity", None, {"n": 1})
