"""PATCH of a sweep: field by field, merged, recorded, refused."""

from collections.abc import Callable
from typing import Any

import pytest

from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules
from sweeps.domain.limits import Limits
from sweeps.models import Revision, Sweep
from sweeps.services import control, sweeps
from tests.api.acts import play, start
from tests.api.conftest import Caller

DEFAULT_POLICY = {"max_consecutive_failures": 5, "retries": 0, "infrastructure_retries": 2}
BANDIT = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1, "delay_evaluation": 0}
MEDIAN = {"type": "median_stopping", "evaluation_interval": 2, "delay_evaluation": 5}


def path_of(sweep: Sweep, more: str = "") -> str:
    return f"/workspaces/default/sweeps/{sweep.name}{more}"


@pytest.fixture
def live(make_sweep: Any, now: Any) -> Sweep:
    """A sweep with a rule of each kind, whose trial 0 runs."""
    made: Sweep = make_sweep(
        limits=Limits(4, 2, 3600, 60),
        display_name="Old",
        description="Older",
        tags={"team": "vision", "kind": "test"},
        early_termination=EarlyTermination("bandit", {"slack_factor": 0.1}),
        stop_rules=StopRules(0.05, 9),
        failure_policy=FailurePolicy(3, 1, 4),
    )
    start(sweeps.advance(made.pk, now).trials[0], now)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize(
    ("edit", "key", "after", "text"),
    [
        (
            {"limits": {"max_total_trials": 9}},
            "limits",
            {"max_total_trials": 9},
            "max trials 4 → 9",
        ),
        (
            {"limits": {"max_concurrent_trials": 1}},
            "limits",
            {"max_concurrent_trials": 1},
            "at once",
        ),
        ({"limits": {"timeout": 7200}}, "limits", {"timeout": 7200}, "timeout 1h → 2h"),
        ({"limits": {"timeout": "PT2H"}}, "limits", {"timeout": 7200}, "timeout 1h → 2h"),
        ({"limits": {"trial_timeout": 30}}, "limits", {"trial_timeout": 30}, "1m → 30s"),
        ({"limits": {"trial_timeout": None}}, "limits", {"trial_timeout": None}, "1m → none"),
        ({"early_termination": None}, "early_termination", None, "slack 10 % → none"),
        ({"early_termination": MEDIAN}, "early_termination", MEDIAN, "median"),
        (
            {"stop_rules": {"target_value": 0.01}},
            "stop_rules",
            {"target_value": 0.01, "no_improvement_trials": 9},
            "at 0.05",
        ),
        (
            {"stop_rules": {"target_value": None}},
            "stop_rules",
            {"target_value": None, "no_improvement_trials": 9},
            "stop rules",
        ),
        (
            {"stop_rules": None},
            "stop_rules",
            {"target_value": None, "no_improvement_trials": None},
            "→ none",
        ),
        (
            {"failure_policy": {"retries": 2}},
            "failure_policy",
            {"max_consecutive_failures": 3, "retries": 2, "infrastructure_retries": 4},
            "2 retries",
        ),
        (
            {"failure_policy": {"retries": None}},
            "failure_policy",
            {"max_consecutive_failures": 3, "retries": 0, "infrastructure_retries": 4},
            "0 retries",
        ),
        ({"failure_policy": None}, "failure_policy", DEFAULT_POLICY, "pause after 5"),
        ({"display_name": "New"}, "display_name", "New", "display name edited"),
        ({"display_name": None}, "display_name", "", "display name edited"),
    ],
)
def test_one_field_is_changed_and_the_others_stay(
    api: Caller, live: Sweep, edit: Any, key: str, after: Any, text: str
) -> None:
    before = api.get(path_of(live)).json()
    response = api.patch(path_of(live), edit)
    assert response.status_code == 200, response.json()
    body = response.json()
    expected = {**before[key], **after} if key == "limits" else after
    assert body[key] == expected
    told = {"revision", "waiting", key}
    assert {k: v for k, v in body.items() if k not in told} == {
        k: v for k, v in before.items() if k not in told
    }
    assert body["revision"] > before["revision"]
    [revision] = api.get(path_of(live, "/revisions")).json()["items"]
    assert text in revision["text"]
    assert (revision["number"], revision["trial_number"], revision["actor"]) == (1, 2, "bob")


def test_tags_and_description_are_merged(api: Caller, live: Sweep) -> None:
    edit = {"tags": {"team": None, "n": 3, "kind": "real"}, "description": "Newer"}
    told = api.patch(path_of(live), edit).json()
    assert (told["tags"], told["description"]) == ({"kind": "real", "n": "3"}, "Newer")
    assert api.get(path_of(live)).json() == told
    live.refresh_from_db()
    assert (live.tags, live.description) == ({"kind": "real", "n": "3"}, "Newer")
    api.patch(path_of(live), {"tags": {"more": "yes"}})
    live.refresh_from_db()
    assert live.tags == {"kind": "real", "n": "3", "more": "yes"}
    api.patch(path_of(live), {"tags": None, "description": None})
    live.refresh_from_db()
    assert (live.tags, live.description) == ({}, "")


def test_an_edit_that_changes_nothing_records_nothing(
    api: Caller, live: Sweep, wake_ups: Callable[[], list[Any]]
) -> None:
    before = api.get(path_of(live)).json()
    same = {"limits": before["limits"], "tags": {}, "stop_rules": before["stop_rules"]}
    for edit in ({}, {"limits": None}, same):
        response = api.patch(path_of(live), edit)
        assert (response.status_code, response.json()) == (200, before)
    assert not Revision.objects.exists()
    edit = {"limits": {"max_total_trials": 6}, "display_name": "Six"}
    api.patch(path_of(live), edit)
    assert api.patch(path_of(live), edit).status_code == 200
    [revision] = Revision.objects.all()
    assert revision.changes == {"max_total_trials": [4, 6], "display_name": ["Old", "Six"]}
    assert ("advance_sweep", live.pk) in wake_ups()


def test_edits_are_listed_in_pages(api: Caller, live: Sweep) -> None:
    for total in (5, 6, 7):
        api.patch(path_of(live), {"limits": {"max_total_trials": total}})
    first = api.get(path_of(live, "/revisions"), limit=2).json()
    assert [item["changes"]["max_total_trials"] for item in first["items"]] == [[4, 5], [5, 6]]
    rest = api.get(path_of(live, "/revisions"), limit=2, cursor=first["next_cursor"]).json()
    assert [item["number"] for item in rest["items"]] == [3]
    assert rest["next_cursor"] is None
    assert rest["items"][0]["at"] is not None


@pytest.mark.parametrize(
    ("edit", "fields"),
    [
        ({"limts": {}}, ["limts"]),
        ({"max_total_trials": 3}, ["max_total_trials"]),
        ({"status": "Completed"}, ["status"]),
        ({"limits": {"max_trials": 3}}, ["limits.max_trials"]),
        ({"limits": 3}, ["limits"]),
        ({"limits": {"max_total_trials": 0}}, ["limits.max_total_trials"]),
        ({"limits": {"max_total_trials": 100_001}}, ["limits.max_total_trials"]),
        ({"limits": {"max_total_trials": None}}, ["limits.max_total_trials"]),
        ({"limits": {"max_total_trials": True}}, ["limits.max_total_trials"]),
        # Two are planned already.
        ({"limits": {"max_total_trials": 1}}, ["limits.max_total_trials"]),
        ({"limits": {"max_concurrent_trials": 1001}}, ["limits.max_concurrent_trials"]),
        ({"limits": {"timeout": None}}, ["limits.timeout"]),
        (
            {"limits": {"timeout": 0, "trial_timeout": -1}},
            ["limits.timeout", "limits.trial_timeout"],
        ),
        ({"limits": {"timeout": 2**31}}, ["limits.timeout"]),
        ({"early_termination": "bandit"}, ["early_termination"]),
        ({"early_termination": {}}, ["early_termination.type"]),
        ({"early_termination": {"type": "bandt"}}, ["early_termination.type"]),
        ({"early_termination": {"type": "bandit"}}, ["early_termination.slack_factor"]),
        # Replaced whole: the slack of before is not another's.
        (
            {"early_termination": {"type": "median_stopping", "slack_factor": 1}},
            ["early_termination.slack_factor"],
        ),
        ({"stop_rules": {"target": 1}}, ["stop_rules.target"]),
        ({"stop_rules": [1]}, ["stop_rules"]),
        ({"stop_rules": {"no_improvement_trials": 0}}, ["stop_rules.no_improvement_trials"]),
        ({"failure_policy": {"retries": 11}}, ["failure_policy.retries"]),
        ({"display_name": 7}, ["display_name"]),
        ({"display_name": "x" * 256}, ["display_name"]),
        ({"description": "a\0b"}, ["description"]),
        ({"description": "\ud800"}, ["description"]),
        ({"tags": ["a"]}, ["tags"]),
        ({"tags": {"a": [1]}}, ["tags.a"]),
        ({"tags": {"a": "b\0"}}, ["tags.a"]),
        ({"limits": {"timeout": 0}, "tags": 1, "x": 2}, ["x", "limits.timeout", "tags"]),
        ([], [None]),
        ("x", [None]),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    api: Caller, live: Sweep, edit: Any, fields: list[str | None]
) -> None:
    before = Sweep.objects.values().get()
    response = api.patch(path_of(live), edit)
    assert response.status_code == 422
    assert [problem.get("field") for problem in response.json()["errors"]] == fields
    assert Sweep.objects.values().get() == before
    assert not Revision.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_target_that_is_no_number_is_told(api: Caller, live: Sweep, number: str) -> None:
    body = f'{{"stop_rules": {{"target_value": {number}}}}}'
    response = api.client.generic(
        "PATCH", f"/api/v1{path_of(live)}", body, content_type="application/json"
    )
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "stop_rules.target_value"


@pytest.mark.parametrize("body", ["", "{", "x" * 300_000])
def test_a_body_that_is_no_json_is_told(api: Caller, live: Sweep, body: str) -> None:
    response = api.client.generic(
        "PATCH", f"/api/v1{path_of(live)}", body, content_type="application/json"
    )
    assert response.status_code == (413 if len(body) > 2**18 else 422)
    assert response.json()["error"]["code"] == ("too_large" if len(body) > 2**18 else "invalid")


def test_an_ended_sweep_is_extended_by_a_higher_total(
    api: Caller, sweep: Sweep, now: Any, wake_ups: Callable[[], list[Any]]
) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    Sweep.objects.update(run_id="parent")
    response = api.patch(path_of(sweep), {"limits": {"max_total_trials": 6, "timeout": 60}})
    assert (response.status_code, response.json()["status"]) == (200, "Running")
    assert response.json()["ended_at"] is None
    assert wake_ups() == [("advance_sweep", sweep.pk)]


def test_other_limits_of_an_ended_sweep_are_a_conflict(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    response = api.patch(path_of(sweep), {"limits": {"timeout": 60}, "stop_rules": None})
    assert response.status_code == 409
    assert response.json()["error"]["field"] == "limits.timeout"
    assert "raise the total trials" in response.json()["error"]["message"]
    assert api.patch(path_of(sweep), {"display_name": "Done"}).status_code == 200


def test_a_sweep_that_is_being_ended_keeps_its_texts_editable(
    api: Caller, live: Sweep, now: Any
) -> None:
    control.stop_sweep(live, actor="bob", now=now)
    assert api.patch(path_of(live), {"tags": {"kept": "yes"}}).status_code == 200


def test_the_edited_policy_is_the_one_that_is_exported(api: Caller, live: Sweep) -> None:
    policy = {"type": "successive_halving", "min_reports": 2}
    body = api.patch(path_of(live), {"early_termination": policy}).json()
    assert body["early_termination"] == {**policy, "reduction_factor": 4}
    assert "successive_halving" in api.get(path_of(live, "/spec")).content.decode()
    api.patch(path_of(live), {"early_termination": BANDIT})
    assert api.get(path_of(live)).json()["early_termination"] == BANDIT
