"""Steering sweeps over REST: each verb once, again, and where it cannot be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from studio.models import Compute
from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules
from sweeps.models import StateChange, Sweep, Trial
from sweeps.queries.spec_of import job_of
from sweeps.services import control, leases, sweeps
from tests.api.acts import play, start
from tests.api.conftest import BASE, Caller

WakeUps = Callable[[], list[tuple[str, int]]]
SWEEP = "/api/v1/workspaces/{ws}/sweeps/{name}"
VERBS = ("pause", "resume", "stop", "cancel")


def path_of(sweep: Sweep, verb: str = "") -> str:
    return f"/workspaces/default/sweeps/{sweep.name}/{verb}".rstrip("/")


@pytest.fixture
def running(sweep: Sweep, now: Any) -> Sweep:
    """A sweep whose trial 0 runs and whose trial 1 waits."""
    [first, _] = sweeps.advance(sweep.pk, now).trials
    start(first, now)
    sweep.refresh_from_db()
    return sweep


@pytest.mark.parametrize(
    ("verb", "status", "counts"),
    [
        ("pause", "Paused", {"Running": 1, "Queued": 1}),
        ("stop", "Stopping", {"Running": 1, "Canceled": 1}),
        ("cancel", "Stopping", {"Running": 1, "Canceled": 1}),
    ],
)
def test_a_verb_answers_with_the_new_state_and_so_again(
    api: Caller,
    running: Sweep,
    wake_ups: WakeUps,
    verb: str,
    status: str,
    counts: dict[str, int],
) -> None:
    once = api.post(path_of(running, verb))
    assert (once.status_code, once.json()["status"]) == (200, status)
    assert once.json()["counts"] == counts
    assert "by bob" in once.json()["reason"]
    assert wake_ups() == [("advance_sweep", running.pk)]
    changes = StateChange.objects.count()
    again = api.post(path_of(running, verb))
    assert (again.status_code, again.json()) == (200, once.json())
    assert StateChange.objects.count() == changes
    assert api.get(path_of(running)).json() == once.json()


def test_a_paused_sweep_says_who_paused_it_and_resumes_once(api: Caller, running: Sweep) -> None:
    paused = api.post(path_of(running, "pause")).json()
    assert paused["paused_by"] == "person"
    assert paused["waiting"] == paused["reason"]
    once = api.post(path_of(running, "resume"))
    assert (once.status_code, once.json()["status"]) == (200, "Running")
    assert (once.json()["paused_by"], once.json()["reason"]) == ("", "")
    again = api.post(path_of(running, "resume"))
    assert (again.status_code, again.json()) == (200, once.json())


def test_a_stopping_sweep_can_still_be_cancelled_but_not_paused(
    api: Caller, running: Sweep
) -> None:
    api.post(path_of(running, "stop"))
    for verb in ("pause", "resume"):
        response = api.post(path_of(running, verb))
        assert response.status_code == 409
        assert response.json()["error"] == {
            "code": "conflict",
            "message": "The sweep is being stopped.",
        }
    assert api.post(path_of(running, "cancel")).status_code == 200
    assert api.post(path_of(running, "stop")).status_code == 409


@pytest.mark.parametrize("verb", VERBS)
def test_a_completed_sweep_cannot_be_steered(
    api: Caller, sweep: Sweep, now: Any, verb: str
) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    response = api.post(path_of(sweep, verb))
    assert response.status_code == 409
    assert f"nothing to {verb}" in response.json()["error"]["message"]
    sweep.refresh_from_db()
    assert sweep.status == "Completed"


def test_an_ended_sweep_answers_the_verb_that_ended_it(api: Caller, sweep: Sweep, now: Any) -> None:
    control.cancel_sweep(sweep, actor="bob", now=now)
    sweeps.advance(sweep.pk, now)
    response = api.post(path_of(sweep, "cancel"))
    assert (response.status_code, response.json()["status"]) == (200, "Canceled")
    assert api.post(path_of(sweep, "pause")).status_code == 409


def test_a_sweep_says_why_it_waits(api: Caller, sweep: Sweep, now: Any) -> None:
    body = api.get(path_of(sweep)).json()
    assert body["waiting"].startswith("The engine process is not running")
    [listed] = api.get("/workspaces/default/sweeps").json()["items"]
    assert listed == body
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    assert api.get(path_of(sweep)).json()["waiting"] == ""


def test_trials_say_why_they_wait(api: Caller, running: Sweep, now: Any) -> None:
    from sweeps.queries.clock import database_now

    for name in ("engine", "queue"):
        leases.acquire(name, "tests", database_now(), 60)
    later = database_now() + timedelta(seconds=90)
    [rests] = sweeps.advance(running.pk, now).trials or [None]
    assert rests is None
    queued = Trial.objects.get(sweep=running, status="Queued")
    items = api.get(path_of(running, "trials")).json()["items"]
    assert [item["waiting"] for item in items] == ["", "Starts in a moment."]
    Trial.objects.filter(pk=queued.pk).update(not_before=later, reason="It was lost.")
    one = api.get(path_of(running, f"trials/{queued.number}")).json()
    assert one["waiting"].startswith("Tried again in 1m")
    assert one["waiting"].endswith("It was lost.")


# --- Clone --------------------------------------------------------------------------------------


@pytest.fixture
def rich(make_sweep: Any) -> Sweep:
    """A sweep that says all that a job can say."""
    made: Sweep = make_sweep(
        name="rich",
        display_name="Rich",
        description="Told at length.",
        tags={"team": "vision"},
        early_termination=EarlyTermination("bandit", {"slack_factor": 0.1}),
        stop_rules=StopRules(0.05, 9),
        failure_policy=FailurePolicy(3, 1, 4),
        first_trials=({"lr": 0.5, "boosting": "dart"},),
    )
    return made


def test_a_clone_is_the_same_job_under_a_new_name(
    api: Caller, rich: Sweep, now: Any, wake_ups: WakeUps
) -> None:
    play(rich, now, [0.4, 0.3])
    response = api.post(path_of(rich, "clone"))
    assert response.status_code == 200
    clone = Sweep.objects.exclude(pk=rich.pk).get()
    body = response.json()
    assert (body["name"], body["status"], body["counts"]) == (clone.name, "Queued", {})
    assert body["display_name"] == "Rich"
    assert "Cloned from rich." in body["notes"]
    assert str(clone.created_by) == "bob"
    assert wake_ups() == [("advance_sweep", clone.pk)]
    specs = [yaml.safe_load(api.get(path_of(s, "spec")).content) for s in (rich, clone)]
    # Nobody chose the clone's name; it keeps to the compute, which the first job did not name.
    assert [spec.pop("name", None) for spec in specs] == ["rich", None]
    assert [spec.pop("compute", None) for spec in specs] == [None, "azureml:local"]
    assert specs[0] == specs[1]
    assert job_of(clone).first_trials == job_of(rich).first_trials != ()


def test_each_clone_is_another_sweep(api: Caller, rich: Sweep) -> None:
    names = {api.post(path_of(rich, "clone")).json()["name"] for _ in range(2)}
    assert len(names | {rich.name}) == 3


def test_a_clone_may_be_named(api: Caller, rich: Sweep) -> None:
    body = {"name": "again", "display_name": "Once more"}
    response = api.post(path_of(rich, "clone"), body)
    assert response.status_code == 200
    assert {key: response.json()[key] for key in body} == body
    taken = api.post(path_of(rich, "clone"), body)
    assert (taken.status_code, taken.json()["error"]["field"]) == (422, "name")
    assert Sweep.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "no spaces"}, "name"),
        ({"name": "new"}, "name"),
        ({"name": 3}, "name"),
        ({"display_name": "x" * 256}, "display_name"),
        ({"display_name": "a\0b"}, "display_name"),
        ({"nme": "x"}, "nme"),
        ([], None),
        ("text", None),
    ],
)
def test_what_a_clone_cannot_be_is_said(
    api: Caller, rich: Sweep, body: Any, field: str | None
) -> None:
    response = api.post(path_of(rich, "clone"), body)
    assert response.status_code == 422
    assert response.json()["error"].get("field") == field
    assert Sweep.objects.count() == 1


def test_a_body_may_be_left_out_but_not_be_blank(api: Caller, rich: Sweep) -> None:
    path = f"{BASE}{path_of(rich, 'clone')}"
    blank = api.client.post(path, " \n", content_type="application/json")
    assert (blank.status_code, Sweep.objects.count()) == (422, 1)
    assert api.client.post(path, "", content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    ("verb", "name"), [("clone", "display_name"), ("trials/rerun", "signature")]
)
def test_null_is_as_good_as_left_out_and_the_document_says_so(
    api: Caller, rich: Sweep, verb: str, name: str
) -> None:
    assert api.post(path_of(rich, verb), {name: None}).status_code == 200
    operation = api.get("/openapi.json").json()["paths"][f"{SWEEP}/{verb}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {"type": "null"} in schema["properties"][name]["anyOf"]


def test_a_clone_goes_to_the_compute_of_the_original(
    api: Caller, rich: Sweep, compute: Compute
) -> None:
    other = Compute.objects.create(workspace=rich.workspace, name="other", slots=1)
    Sweep.objects.filter(pk=rich.pk).update(compute=other)
    api.post(path_of(rich, "clone"))
    assert Sweep.objects.exclude(pk=rich.pk).get().compute == other
