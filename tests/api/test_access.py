"""Who may call what, and in which words they are told; tests/security/matrix has every operation
with every kind of caller."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from studio.models import ApiToken, Membership, Role, User, Workspace
from studio.secret_services import set_secret
from studio.services import revoke_token
from sweeps import intake, intake_places
from sweeps.api import files
from sweeps.domain.states import TrialStatus
from sweeps.models import (
    Attempt,
    Channel,
    CodeSnapshot,
    DataUpload,
    Environment,
    EnvironmentBuild,
    Sweep,
    Trial,
)
from tests.api.acts import play, start
from tests.api.conftest import Caller

SWEEP = "/workspaces/{ws}/sweeps/{name}"
TRIAL = f"{SWEEP}/trials/0"
ENVIRONMENT = "/workspaces/{ws}/environments/mine"
READS = [
    "/workspaces/{ws}",
    "/workspaces/{ws}/computes",
    "/workspaces/{ws}/computes/local",
    "/workspaces/{ws}/environments",
    ENVIRONMENT,
    f"{ENVIRONMENT}/log",
    "/workspaces/{ws}/sweeps",
    SWEEP,
    f"{SWEEP}/environment",
    f"{SWEEP}/environment/log",
    "/workspaces/{ws}/code/CODE",
    "/workspaces/{ws}/code/CODE/code.zip",
    "/workspaces/{ws}/data/DATA",
    f"{SWEEP}/spec",
    f"{SWEEP}/bundle.zip",
    f"{SWEEP}/revisions",
    f"{SWEEP}/failures",
    f"{SWEEP}/trials",
    TRIAL,
    f"{TRIAL}/metrics",
    f"{TRIAL}/decisions",
    f"{TRIAL}/logs/stdout",
    f"{TRIAL}/logs/stderr",
    f"{TRIAL}/replay.sh",
    f"{TRIAL}/models",
    "/workspaces/{ws}/models",
    f"{SWEEP}/trials.csv",
    "/workspaces/{ws}/runs/RUN",
    f"{TRIAL}/artifacts",
    f"{TRIAL}/artifacts/a.txt",
]
WRITES = [
    ("POST", "/workspaces/{ws}/sweeps"),
    ("POST", "/workspaces/{ws}/code"),
    ("POST", "/workspaces/{ws}/data"),
    ("POST", "/workspaces/{ws}/bundles"),
    ("POST", "/workspaces"),
    ("PATCH", "/workspaces/{ws}"),
    ("DELETE", "/workspaces/{ws}"),
    ("POST", "/workspaces/{ws}/computes"),
    ("PATCH", "/workspaces/{ws}/computes/local"),
    ("DELETE", "/workspaces/{ws}/computes/local"),
    ("POST", "/workspaces/{ws}/environments"),
    ("PATCH", ENVIRONMENT),
    ("DELETE", ENVIRONMENT),
    ("POST", f"{ENVIRONMENT}/build"),
    ("DELETE", f"{ENVIRONMENT}/build"),
    ("PATCH", SWEEP),
    ("DELETE", SWEEP),
    *(("POST", f"{SWEEP}/{verb}") for verb in ("pause", "resume", "stop", "cancel", "clone")),
    ("POST", f"{SWEEP}/trials"),
    ("POST", f"{SWEEP}/trials/rerun"),
    ("PATCH", TRIAL),
    ("POST", f"{TRIAL}/cancel"),
    ("POST", f"{TRIAL}/rerun"),
    ("POST", f"{TRIAL}/register"),
    ("GET", "/workspaces/{ws}/channels"),  # no write, but not for readers either
    ("GET", "/workspaces/{ws}/audit"),  # for owners
    ("POST", "/workspaces/{ws}/channels"),
    ("DELETE", "/workspaces/{ws}/channels/CHANNEL"),
    ("GET", "/workspaces/{ws}/secrets"),
    ("PUT", "/workspaces/{ws}/secrets/KEY"),
    ("DELETE", "/workspaces/{ws}/secrets/KEY"),
]
ALL = [("GET", path) for path in [*READS, "/workspaces"]] + WRITES


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Everybody has left a.txt."""
    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setattr(files, "artifacts_at", lambda _experiment, _run: tmp_path)


@pytest.fixture
def played(sweep: Sweep, now: Any) -> Sweep:
    """A sweep whose trial 0 has failed; trials 1 and 2 are not there yet or queued."""
    play(sweep, now, [None])
    Environment.objects.create(workspace=sweep.workspace, name="mine", source="six")
    Channel.objects.create(
        workspace=sweep.workspace, name="ops", kind="email", address="a@example.org"
    )
    set_secret(sweep.workspace, "KEY", "a secret", None, now)
    intake.keep_folder(sweep.workspace, str(intake_places.IRIS))
    intake.keep_data_file(sweep.workspace, [b"a,b"], "a.csv")
    return sweep


def path_of(template: str, sweep: Sweep, ws: str = "default") -> str:
    path = template.format(ws=ws, name=sweep.name)
    for word, table in (("CODE", CodeSnapshot), ("DATA", DataUpload)):
        if word in path:
            path = path.replace(word, table.objects.get().digest)
    if "CHANNEL" in path:
        path = path.replace("CHANNEL", str(Channel.objects.get().pk))
    if "RUN" in path:
        path = path.replace("RUN", Attempt.objects.get(trial__number=0).run_id)
    return path


def test_a_reader_reads_everything(reader: Caller, played: Sweep) -> None:
    for path in (*READS, "/workspaces"):
        assert reader.get(path_of(path, played)).status_code == 200, path


def test_without_a_token_nothing_is_told(played: Sweep, expired: Caller) -> None:
    for caller in (Caller(None), Caller("sst_unknown"), expired):
        response = caller.get(path_of(SWEEP, played))
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        body = response.json()
        assert body["error"]["code"] == "unauthenticated"
        assert body["errors"] == [body["error"]]


def test_a_revoked_token_ends_at_once(api: Caller, played: Sweep) -> None:
    assert api.get("/workspaces").status_code == 200
    revoke_token(ApiToken.objects.get(), timezone.now())
    assert api.get("/workspaces").status_code == 401


def test_a_token_of_a_person_who_left_opens_nothing(api: Caller, bob: User, played: Sweep) -> None:
    member = Membership.objects.get(user=bob)
    member.delete()
    assert api.get(path_of(SWEEP, played)).status_code == 401
    member.save(force_insert=True)
    assert api.get(path_of(SWEEP, played)).status_code == 200
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert api.get(path_of(SWEEP, played)).status_code == 401


def test_a_token_may_do_no_more_than_its_person(rita: User, token_for: Any, played: Sweep) -> None:
    caller = Caller(token_for(rita, Role.OWNER))
    assert caller.post(path_of(f"{SWEEP}/cancel", played)).status_code == 404
    assert caller.get(path_of(SWEEP, played)).status_code == 200


def test_a_person_may_do_no_more_than_the_token(alice: User, token_for: Any, played: Sweep) -> None:
    caller = Caller(token_for(alice, Role.READER))
    for method, path in WRITES:
        assert caller.send(method, path_of(path, played)).status_code == 404
    assert caller.get(path_of(SWEEP, played)).status_code == 200


def test_a_token_opens_its_own_workspace_only(
    alice: User, charlie: User, token_for: Any, played: Sweep
) -> None:
    elsewhere = Workspace.objects.get(name="elsewhere")
    Membership.objects.create(user=alice, workspace=elsewhere, role=Role.OWNER)
    caller = Caller(token_for(alice, Role.OWNER, workspace=elsewhere))
    assert caller.get("/workspaces/elsewhere").status_code == 200
    assert caller.get("/workspaces/default").status_code == 404
    assert caller.get(path_of(SWEEP, played)).status_code == 404


def test_the_use_of_a_token_is_noted(api: Caller) -> None:
    assert ApiToken.objects.get().last_used_at is None
    api.get("/workspaces")
    assert ApiToken.objects.get().last_used_at is not None


def test_foreign_and_missing_are_the_same_bytes(stranger: Caller, played: Sweep) -> None:
    for method, path in (("GET", SWEEP), ("POST", f"{SWEEP}/cancel"), ("GET", TRIAL)):
        foreign = stranger.send(method, path_of(path, played))
        missing = stranger.send(method, path_of(path, played, ws="nowhere"))
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content
        assert foreign.json()["error"]["code"] == "not_found"


def test_a_missing_sweep_trial_compute_and_log_are_each_said(api: Caller, played: Sweep) -> None:
    for path in ("/sweeps/nothing", "/computes/nothing", "/environments/nothing"):
        response = api.get(f"/workspaces/default{path}")
        assert response.status_code == 404
        assert "nothing" in response.json()["error"]["message"]
    for path in (f"{SWEEP}/trials/77", f"{SWEEP}/trials/{10**30}", f"{TRIAL}/logs/passwd"):
        assert api.get(path_of(path, played)).status_code == 404


def test_the_list_of_workspaces_is_that_of_the_token(stranger: Caller, played: Sweep) -> None:
    names = [item["name"] for item in stranger.get("/workspaces").json()["items"]]
    assert names == ["elsewhere"]


def test_a_reader_cannot_write(reader: Caller, played: Sweep) -> None:
    tables = (Sweep, Trial, Environment, EnvironmentBuild)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    body = {"type": "sweep", "display_name": "mine", "params": {"lr": 0.5, "boosting": "gbdt"}}
    for method, path in WRITES:
        response = reader.send(method, path_of(path, played), body)
        assert response.status_code == 404, (method, path)
        missing = reader.send(method, path_of(path, played, ws="nowhere"))
        assert response.content == missing.content, (method, path)
        now = [list(table.objects.order_by("pk").values()) for table in tables]
        assert now == before, (method, path)


def test_another_method_is_refused_in_the_shape_of_all_errors(api: Caller, played: Sweep) -> None:
    for method, path in ALL:
        other = "PATCH" if "/secrets/" in path else "PUT"
        response = api.send(other, path_of(path, played))
        assert response.status_code == 405, path
        assert method in response.headers["Allow"], path
        assert response.json()["error"]["code"] == "method_not_allowed", path


def test_head_is_answered_as_get_without_a_body(api: Caller, played: Sweep) -> None:
    for path in (*READS, "/workspaces"):
        whole = api.get(path_of(path, played))
        bare = api.send("HEAD", path_of(path, played))
        assert (bare.status_code, bare.getvalue()) == (whole.status_code, b""), path
        passing = ("RateLimit-Remaining", "RateLimit-Reset")
        ours, theirs = ({k: v for k, v in a.items() if k not in passing} for a in (bare, whole))
        assert ours == theirs, path
        assert whole.status_code == 200, path


def test_head_is_refused_where_get_is(api: Caller, played: Sweep) -> None:
    refused = api.send("HEAD", path_of("/workspaces/{ws}/code", played))
    assert (refused.status_code, refused.content) == (405, b"")
    assert api.send("HEAD", "/workspaces/nowhere").status_code == 404
    assert Caller(None).send("HEAD", "/workspaces").status_code == 401


def test_an_unknown_address_answers_in_json(api: Caller, db: None) -> None:
    for caller in (api, Caller(None)):
        response = caller.get("/nothing/here")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"


def test_cancelling_a_sweep_twice_is_the_same(api: Caller, sweep: Sweep, now: Any) -> None:
    from sweeps.services import sweeps

    [first, _] = sweeps.advance(sweep.pk, now).trials
    start(first, now)
    path = path_of(f"{SWEEP}/cancel", sweep)
    once = api.post(path)
    assert once.status_code == 200
    assert once.json()["reason"] == "Canceled by bob."
    assert once.json()["counts"] == {"Running": 1, "Canceled": 1}
    twice = api.post(path)
    assert (twice.status_code, twice.json()) == (200, once.json())


def test_cancelling_a_completed_sweep_is_a_conflict(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    assert sweep.status == "Completed"
    response = api.post(path_of(f"{SWEEP}/cancel", sweep))
    assert response.status_code == 409
    assert response.json() == {
        "error": {
            "code": "conflict",
            "message": "The sweep has ended as Completed; nothing to cancel.",
        },
        "errors": [response.json()["error"]],
    }


def test_a_trial_is_cancelled_once_and_run_again(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4])
    queued = Trial.objects.filter(sweep=sweep, status=TrialStatus.QUEUED).first()
    assert queued is not None
    path = path_of(SWEEP, sweep) + f"/trials/{queued.number}"
    for _ in range(2):
        response = api.post(f"{path}/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "Canceled")
    again = api.post(f"{path}/rerun")
    assert (again.status_code, again.json()["status"]) == (200, "Queued")
    assert api.post(f"{path}/rerun").status_code == 409
    completed = path_of(TRIAL, sweep)
    for verb in ("cancel", "rerun"):
        response = api.post(f"{completed}/{verb}")
        assert response.status_code == 409
        assert response.json()["error"]["code"] == "conflict"


def test_an_archived_workspace_still_answers_its_token(
    api: Caller, workspace: Workspace, played: Sweep
) -> None:
    Workspace.objects.update(archived_at=timezone.now())
    assert api.get(path_of(SWEEP, played)).status_code == 200


def test_nothing_new_begins_in_an_archived_workspace(
    api: Caller, workspace: Workspace, played: Sweep
) -> None:
    Workspace.objects.update(archived_at=timezone.now())
    response = api.post(f"{path_of(SWEEP, played)}/clone")
    assert response.status_code == 409
    assert "The workspace is archived" in response.json()["error"]["message"]


def test_every_operation_of_the_schema_is_walked_above(client: Any, db: None) -> None:
    """A new operation has to be added to these lists, and so to every test of access."""
    schema = json.loads(client.get("/api/v1/openapi.json").content)
    known = {
        (method, path.replace("/trials/0", "/trials/{number}").replace("/local", "/{name}"))
        for method, path in ALL
    }
    known = {(m, p.replace("stdout", "{stream}").replace("stderr", "{stream}")) for m, p in known}
    known = {(m, p.replace("/a.txt", "/{path}").replace("/mine", "/{name}")) for m, p in known}
    known = {(m, p.replace("CODE", "{digest}").replace("DATA", "{digest}")) for m, p in known}
    known = {(m, p.replace("RUN", "{run_id}")) for m, p in known}
    known = {(m, p.replace("CHANNEL", "{channel_id}")) for m, p in known}
    known = {(m, p.replace("/KEY", "/{name}")) for m, p in known}
    found = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in schema["paths"].items()
        for method in operations
    }
    assert found == known
