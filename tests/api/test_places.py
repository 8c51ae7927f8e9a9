"""Making and changing workspaces and computes over REST, with the pages' own checks."""

import sys
from typing import Any

import pytest

from studio import isolation
from studio.models import Compute, Role, User, Workspace
from sweeps.models import Sweep
from tests.api.conftest import Caller

WS, COMPUTES = "/workspaces/default", "/workspaces/default/computes"


@pytest.fixture
def owner(alice: User, token_for: Any) -> Caller:
    return Caller(token_for(alice, Role.OWNER))


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"].get("field", "")


def test_a_workspace_is_made_with_a_compute_and_an_owner(owner: Caller, alice: User) -> None:
    response = owner.post("/workspaces", {"name": "vision", "title": "Vision"})
    assert response.status_code == 201
    body = response.json()
    assert (body["name"], body["title"], body["archived_at"]) == ("vision", "Vision", None)
    made = Workspace.objects.get(name="vision")
    assert list(made.members.all()) == [alice]
    assert made.computes.get().is_default


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "DEFAULT"}, "name"),
        ({"name": "default"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "x", "title": "t" * 121}, "title"),
        ({"name": "x", "title": "\0"}, "title"),
        ({"name": "x", "description": "\ud800"}, "description"),
        ({"name": "x", "colour": "red"}, "colour"),
        ([], ""),
    ],
)
def test_a_bad_workspace_is_told(
    owner: Caller, workspace: Workspace, body: Any, field: str
) -> None:
    assert told(owner.post("/workspaces", body)) == (422, field)
    assert Workspace.objects.count() == 1


def test_a_workspace_is_changed_archived_and_restored(owner: Caller) -> None:
    assert owner.patch(WS, {"title": "T"}).json()["title"] == "T"
    body = owner.patch(WS, {"description": "D"}).json()
    assert (body["title"], body["description"]) == ("T", "D")
    assert told(owner.patch(WS, {"name": "other"})) == (422, "name")
    for _ in range(2):
        gone = owner.send("DELETE", WS)
        assert (gone.status_code, gone.content) == (204, b"")
    assert owner.get(WS).json()["archived_at"] is not None
    assert owner.patch(WS, {"archived": False}).json()["archived_at"] is None
    assert owner.patch(WS, {"archived": True}).json()["archived_at"] is not None


def test_a_compute_is_made_changed_and_deleted(owner: Caller, compute: Compute) -> None:
    job = {"name": "box", "slots": 3, "python": sys.executable, "is_default": True}
    made = owner.post(COMPUTES, job | {"environment_variables": {"A": "1"}})
    assert made.status_code == 201
    assert made.json() == job | {
        "kind": "local",
        "settings": {},
        "slots_used": 0,
        "description": "",
        "isolated": False,
        "preload": True,
        "preload_modules": "",
    }
    compute.refresh_from_db()
    assert not compute.is_default
    changed = owner.patch(f"{COMPUTES}/box", {"slots": 5})
    assert changed.json() == made.json() | {"slots": 5}
    assert Compute.objects.get(name="box").environment_variables == {"A": "1"}
    assert owner.patch(f"{COMPUTES}/box", {"environment_variables": {}}).status_code == 200
    assert Compute.objects.get(name="box").environment_variables == {}
    assert [c["name"] for c in owner.get(COMPUTES).json()["items"]] == ["box", "local"]
    assert owner.send("DELETE", f"{COMPUTES}/box").status_code == 204
    assert owner.get(f"{COMPUTES}/local").json()["is_default"] is True
    assert owner.send("DELETE", f"{COMPUTES}/box").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "LOCAL"}, "name"),
        ({"name": "local"}, "name"),
        ({"slots": 2}, "name"),
        ({"name": "x", "slots": 0}, "slots"),
        ({"name": "x", "slots": 1001}, "slots"),
        ({"name": "x", "slots": 10**30}, "slots"),
        ({"name": "x", "slots": True}, "slots"),
        ({"name": "x", "slots": "2"}, "slots"),
        ({"name": "x", "python": "python"}, "python"),
        ({"name": "x", "python": "/no/such"}, "python"),
        ({"name": "x", "environment_variables": {"A": 1}}, "environment_variables.A"),
        ({"name": "x", "environment_variables": {"1A": "1"}}, "environment_variables"),
        ({"name": "x", "environment_variables": []}, "environment_variables"),
        ({"name": "x", "kind": "lsf"}, "kind"),
        ({"name": "x", "kind": 1}, "kind"),
        ({"name": "x", "settings": {"partition": "gpu"}}, "settings.partition"),
        ({"name": "x", "settings": []}, "settings"),
    ],
)
def test_a_bad_compute_is_told(owner: Caller, compute: Compute, body: Any, field: str) -> None:
    assert told(owner.post(COMPUTES, body)) == (422, field)
    assert Compute.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_form_in_the_place_of_json_is_told(
    owner: Caller, compute: Compute, headers: dict[str, str]
) -> None:
    body = b'{"name": "x", "slots": 1}'
    kind = "multipart/form-data; boundary=x"
    response = owner.post(COMPUTES, body, kind, **headers)
    assert told(response) == (422, "")
    assert "Send application/json" in response.json()["error"]["message"]


def test_a_compute_that_sweeps_ran_on_stays(owner: Caller, sweep: Sweep) -> None:
    response = owner.send("DELETE", f"{COMPUTES}/local")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    assert "1 sweep ran on it" in response.json()["error"]["message"]


def test_a_contributor_may_not(api: Caller, compute: Compute) -> None:
    assert api.post("/workspaces", {"name": "x"}).status_code == 404
    for method, path in (("PATCH", WS), ("DELETE", WS), ("DELETE", f"{COMPUTES}/local")):
        assert api.send(method, path, {"title": "x"}).status_code == 404


def test_a_compute_is_isolated_where_that_works(
    owner: Caller, compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["The studio lacks CAP_SETUID."]
    monkeypatch.setattr(isolation, "problems", lambda python: list(said))
    assert told(owner.patch(f"{COMPUTES}/local", {"isolated": True})) == (422, "isolated")
    assert told(owner.patch(f"{COMPUTES}/local", {"isolated": "yes"})) == (422, "isolated")
    said.clear()
    assert owner.patch(f"{COMPUTES}/local", {"isolated": True}).json()["isolated"] is True
    assert owner.patch(f"{COMPUTES}/local", {"slots": 1}).json()["isolated"] is True
    assert owner.get(f"{COMPUTES}/local").json()["isolated"] is True


SLURM = {"name": "gpu", "kind": "slurm", "slots": 16, "settings": {"partition": "gpu", "cpus": 4}}


def test_a_compute_on_a_cluster_is_made_and_its_settings_changed_one_by_one(
    owner: Caller, compute: Compute
) -> None:
    made = owner.post(COMPUTES, SLURM)
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["settings"]) == ("slurm", SLURM["settings"])
    path = f"{COMPUTES}/gpu"
    assert owner.patch(path, {"slots": 4}).json()["settings"] == SLURM["settings"]
    changed = owner.patch(path, {"settings": {"cpus": "", "qos": "high"}})
    assert changed.json()["settings"] == {"partition": "gpu", "qos": "high"}
    assert told(owner.patch(path, {"settings": {"partition": "a b"}})) == (
        422,
        "settings.partition",
    )
    assert told(owner.patch(path, {"kind": "local"})) == (422, "kind")
    assert owner.patch(path, {"kind": "slurm"}).status_code == 200
    assert told(owner.patch(path, {"isolated": True})) == (422, "isolated")
    assert owner.get(path).json()["settings"] == {"partition": "gpu", "qos": "high"}


RAY = {"name": "ray", "kind": "ray", "settings": {"address": "head", "cpus": 0.5}}


def test_a_compute_on_a_ray_cluster_names_its_address(owner: Caller, compute: Compute) -> None:
    made = owner.post(COMPUTES, RAY)
    assert made.status_code == 201
    assert made.json()["settings"] == {"address": "http://head:8265", "cpus": 0.5}
    path = f"{COMPUTES}/ray"
    wrong = ("", "http://head/api", "file:///etc/passwd", "http://a:b@head")
    for address in wrong:
        answer = owner.patch(path, {"settings": {"address": address}})
        assert told(answer) == (422, "settings.address")
    assert told(owner.post(COMPUTES, {"name": "none", "kind": "ray"})) == (422, "settings.address")
    assert owner.patch(path, {"settings": {"cpus": 2}}).json()["settings"]["cpus"] == 2


def test_only_owners_say_which_cluster_the_studio_speaks_to(
    bob: User, compute: Compute, token_for: Any
) -> None:
    contributor = Caller(token_for(bob, Role.CONTRIBUTOR))
    assert contributor.post(COMPUTES, RAY).status_code in (403, 404)
    assert not Compute.objects.filter(kind="ray").exists()
