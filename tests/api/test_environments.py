"""Environments over REST: made, changed, built; the one that a sweep runs in, and its log."""

import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from studio.models import Compute, Role, Workspace
from sweeps import intake, intake_environments, intake_places
from sweeps.domain.environments import Chosen, Recipe, recipe_from
from sweeps.environments import places
from sweeps.models import Environment, EnvironmentBuild, Sweep
from sweeps.queries.environments import environments_root
from sweeps.services.environments import begin_build, fail_build, finish_build
from sweeps.services.sweeps import create_sweep
from tests.api.conftest import Caller
from tests.conftest import NOW, job

ALL = "/workspaces/default/environments"
CONDA = {"name": "c", "dependencies": ["python=3.11", {"pip": ["six==1.16.0"]}]}


@pytest.fixture
def mine(workspace: Workspace, compute: Compute) -> Environment:
    """Named mine; packages six."""
    return Environment.objects.create(workspace=workspace, name="mine", source="six\n")


@pytest.fixture
def make_in(workspace: Workspace, compute: Compute) -> Callable[..., Sweep]:
    """Makes sweeps in an environment."""

    def make(name: str, chosen: Chosen) -> Sweep:
        return create_sweep(
            workspace, job(name=name), compute=compute, code=None, user=None, now=NOW,
            rng=Random(1), chosen=chosen,
        )  # fmt: skip

    return make


def build(digest: str | None = None) -> EnvironmentBuild:
    return EnvironmentBuild.objects.get(**({"pk": digest} if digest else {}))


def begin() -> EnvironmentBuild:
    """Begin the one build there is."""
    assert begin_build(build(), "handle", NOW)
    return build()


def told(response: Any) -> list[str]:
    assert response.status_code == 422
    return [error.get("field", "") for error in response.json()["errors"]]


def test_an_environment_is_made_changed_and_deleted(api: Caller, compute: Compute) -> None:
    said = {"name": "mine", "description": "D", "kind": "requirements", "source": "six\n# x\n"}
    made = api.post(ALL, said)
    assert made.status_code == 201
    body = made.json()
    assert {key: body[key] for key in said} == said
    assert body["build"] is None
    assert set(body) == {*said, "created_at", "build"}
    changed = api.patch(f"{ALL}/mine", {"source": "six==1.16.0"})
    assert changed.json() == body | {"source": "six==1.16.0"}
    assert api.patch(f"{ALL}/mine", {"name": "yours", "description": ""}).status_code == 200
    assert api.post(ALL, {"name": "a", "source": "numpy"}).json()["kind"] == "requirements"
    assert [one["name"] for one in api.get(ALL).json()["items"]] == ["a", "yours"]
    assert api.get(f"{ALL}/yours").json()["source"] == "six==1.16.0"
    assert api.send("DELETE", f"{ALL}/yours").status_code == 204
    assert api.send("DELETE", f"{ALL}/yours").status_code == 404


def test_azures_words_make_one_of_a_conda_file(api: Caller, workspace: Workspace) -> None:
    made = api.post(ALL, {"name": "c", "conda_file": CONDA}).json()
    assert made["kind"] == "conda"
    assert made["source"].startswith("name: c\ndependencies:\n")
    api.post(ALL, {"name": "p", "kind": "python", "source": sys.executable})
    changed = api.patch(f"{ALL}/p", {"conda_file": CONDA}).json()
    assert (changed["kind"], changed["source"]) == ("conda", made["source"])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ([], [""]),
        ({}, ["name", "source"]),
        ({"name": "x"}, ["source"]),
        ({"name": "x", "source": " \n"}, ["source"]),
        ({"name": "a b", "source": "six"}, ["name"]),
        ({"name": "MINE", "source": "six"}, ["name"]),
        ({"name": "mine", "source": "six"}, ["name"]),
        ({"name": "x", "source": 5, "kind": None}, ["kind", "source"]),
        ({"name": "x", "source": "six", "kind": "docker"}, ["kind"]),
        ({"name": "x", "source": "-e .\nsix\n./a"}, ["source", "source"]),
        ({"name": "x", "source": "six\0"}, ["source"]),
        ({"name": "x", "source": "a" * 100_001}, ["source"]),
        ({"name": "x", "source": "six", "description": "d" * 201}, ["description"]),
        ({"name": "x", "source": "six", "image": "ubuntu"}, ["image"]),
        ({"name": "x", "kind": "python", "source": "python"}, ["source"]),
        ({"name": "x", "kind": "python", "source": "/no/such"}, ["source"]),
        ({"name": "x", "kind": "conda", "source": "- a"}, ["source"]),
        ({"name": "x", "kind": "conda", "source": "a: [b"}, ["source"]),
        ({"name": "x", "kind": "conda", "source": "x: 1"}, ["source.x"]),
        ({"name": "x", "conda_file": "conda.yml"}, ["conda_file"]),
        ({"name": "x", "conda_file": {"dependencies": ["=", 5]}},
         ["conda_file.dependencies[1]", "conda_file.dependencies[0]"]),
        ({"name": "x", "conda_file": CONDA, "source": "six"}, ["conda_file"]),
        ({"name": "x", "conda_file": CONDA, "kind": "python"}, ["conda_file"]),
    ],
)  # fmt: skip
def test_a_bad_environment_is_told(
    api: Caller, mine: Environment, body: Any, fields: list[str]
) -> None:
    assert told(api.post(ALL, body)) == fields
    assert Environment.objects.count() == 1


def test_a_change_is_checked_as_a_whole(api: Caller, mine: Environment) -> None:
    assert told(api.patch(f"{ALL}/mine", {"kind": "python"})) == ["source"]
    assert told(api.patch(f"{ALL}/mine", {"kind": "conda"})) == ["source"]
    mine.refresh_from_db()
    assert mine.kind == "requirements"


def test_the_same_request_makes_one(api: Caller, compute: Compute) -> None:
    body = {"name": "mine", "source": "six"}
    first = api.post(ALL, body, **{"Idempotency-Key": "k"})
    again = api.post(ALL, body, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert told(api.post(ALL, body)) == ["name"]


def test_a_build_that_was_asked_for_is_not_made_after_all(api: Caller, mine: Environment) -> None:
    assert api.send("DELETE", f"{ALL}/mine/build").json()["build"] is None
    api.post(f"{ALL}/mine/build")
    for _ in range(2):
        assert api.send("DELETE", f"{ALL}/mine/build").json()["build"]["state"] == "waiting"
        assert not build().is_asked_for
    api.post(f"{ALL}/mine/build")
    begin()
    assert api.send("DELETE", f"{ALL}/mine").status_code == 204
    assert not build().is_asked_for, "the engine ends it"


def test_a_build_is_asked_for_once_and_watched(api: Caller, mine: Environment) -> None:
    tag = api.get(f"{ALL}/mine")["ETag"]
    for _ in range(2):
        asked = api.post(f"{ALL}/mine/build")
        assert asked.status_code == 200
        assert asked.json()["build"]["state"] == "waiting"
    assert build().is_asked_for
    assert EnvironmentBuild.objects.count() == 1
    fail_build(begin(), "No six.", NOW)
    found = api.get_with(f"{ALL}/mine", **{"If-None-Match": tag})
    assert (found.json()["build"]["state"], found.json()["build"]["reason"]) == (
        "failed", "No six.",
    )  # fmt: skip
    assert api.post(f"{ALL}/mine/build").json()["build"]["state"] == "waiting"
    finish_build(begin(), "3.11.7", ["six==1.17.0"], ["Old."], NOW)
    done = api.post(f"{ALL}/mine/build").json()["build"]
    assert done == {
        "state": "done", "reason": "", "python": "3.11.7", "packages": ["six==1.17.0"],
        "notes": ["Old."], "started_at": "2026-03-01T12:00:00Z",
        "ended_at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    assert api.get(ALL).json()["items"][0]["build"] == done
    same = api.get_with(f"{ALL}/mine", **{"If-None-Match": api.get(f"{ALL}/mine")["ETag"]})
    assert same.status_code == 304


def test_a_python_is_not_built(api: Caller, workspace: Workspace) -> None:
    api.post(ALL, {"name": "own", "kind": "python", "source": sys.executable})
    response = api.post(f"{ALL}/own/build")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    assert api.get(f"{ALL}/own").json()["build"] is None
    assert api.get(f"{ALL}/own/log").content == b""


def test_a_job_in_a_named_environment_waits_for_its_build(api: Caller, mine: Environment) -> None:
    code = intake.keep_folder(mine.workspace, str(intake_places.IRIS))
    doc = {
        "type": "sweep",
        "name": "s",
        "trial": {
            "command": "python main.py --lr ${{search_space.lr}}",
            "code": f"studio:{code.digest}",
            "environment": "azureml:mine@latest",
        },
        "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
        "sampling_algorithm": "random",
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 1},
    }
    made = api.post("/workspaces/default/sweeps", doc).json()
    assert made["environment"] == {"name": "mine", "state": "waiting"}
    assert api.get(f"{ALL}/mine").json()["build"]["state"] == "waiting"
    assert build().recipe["requirements"][0] == "six"
    assert api.send("DELETE", f"{ALL}/mine").status_code == 204
    assert api.get("/workspaces/default/sweeps/s").json()["environment"]["name"] == "mine"


def test_the_environment_of_a_sweep_is_told(
    api: Caller, make_in: Callable[..., Sweep], compute: Compute
) -> None:
    make_in("own", Chosen())
    make_in("python", Chosen("py", python="/opt/python"))
    make_in("built", Chosen("mine", recipe=Recipe("/usr/bin/python3", ("six",))))
    items = api.get("/workspaces/default/sweeps").json()["items"]
    assert {item["name"]: item["environment"] for item in items} == {
        "own": None,
        "python": {"name": "py", "state": None},
        "built": {"name": "mine", "state": "waiting"},
    }
    nothing = {"state": None, "reason": "", "packages": [], "notes": []}
    path = "/workspaces/default/sweeps/{}/environment"
    own = nothing | {"name": "", "python": sys.executable}
    assert api.get(path.format("own")).json() == own
    Compute.objects.update(python="/opt/other")
    assert api.get(path.format("own")).json() == own | {"python": "/opt/other"}
    named = nothing | {"name": "py", "python": "/opt/python"}
    assert api.get(path.format("python")).json() == named
    waits = nothing | {"name": "mine", "python": "", "state": "waiting"}
    assert api.get(path.format("built")).json() == waits
    finish_build(begin(), "3.11.7", ["six==1.17.0"], ["Old."], NOW)
    assert api.get(path.format("built")).json() == {
        "name": "mine", "python": "3.11.7", "state": "done", "reason": "",
        "packages": ["six==1.17.0"], "notes": ["Old."],
    }  # fmt: skip


def test_a_list_costs_the_same_however_many_environments_it_tells(
    api: Caller, make_in: Callable[..., Sweep], workspace: Workspace,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(8):
        Environment.objects.create(workspace=workspace, name=f"e{number}", source=f"six>{number}")
        make_in(f"s{number}", Chosen("e", recipe=Recipe("/usr/bin/python3", (f"six>{number}",))))
        api.post(f"{ALL}/e{number}/build")
    with django_assert_max_num_queries(5):
        assert all(one["build"] for one in api.get(ALL).json()["items"])
    with django_assert_max_num_queries(13):
        items = api.get("/workspaces/default/sweeps").json()["items"]
    assert [item["environment"]["state"] for item in items] == ["waiting"] * 8


def test_a_list_reads_no_file_a_second_time(
    api: Caller, mine: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post(f"{ALL}/mine/build")
    first = api.get(ALL).json()
    assert first["items"][0]["build"]
    monkeypatch.delattr(intake_environments, "read_requirements")
    assert api.get(ALL).json() == first


def test_the_log_of_a_build_is_read_piece_by_piece(
    api: Caller, mine: Environment, make_in: Callable[..., Sweep]
) -> None:
    api.post(f"{ALL}/mine/build")
    of_sweep = "/workspaces/default/sweeps/s/environment/log"
    make_in("s", Chosen("mine", recipe=recipe_from(build().recipe)))
    for path in (f"{ALL}/mine/log", of_sweep):
        nothing = api.get(path)
        assert (nothing.content, nothing["X-Next-Offset"]) == (b"", "0")
    found = begin()
    spool = places.spool_of(environments_root(), found.digest, 1)
    spool.mkdir(parents=True)
    (spool / "stdout.log").write_text("$ uv venv\né\n")
    for path in (f"{ALL}/mine/log", of_sweep):
        part = api.get(path, offset=2)
        assert part.content.decode() == "uv venv\né\n"
        assert (part["Content-Type"], part["X-Next-Offset"]) == ("text/plain; charset=utf-8", "13")
        assert api.get(path, offset=13).content == b""


def test_a_reader_reads_and_an_owner_writes(
    reader: Caller, alice: Any, token_for: Any, mine: Environment
) -> None:
    assert reader.get(f"{ALL}/mine").status_code == 200
    assert reader.post(f"{ALL}/mine/build").status_code == 404
    assert Caller(token_for(alice, Role.OWNER)).post(f"{ALL}/mine/build").status_code == 200


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("azureml:other@latest", "make one of this name under Environments"),
        ("file:./env.yml", "write it out in the job"),
        ("azureml://registries/azureml/environments/mine/versions/3", "name one that stands under"),
    ],
)
def test_a_reference_to_what_is_not_here_says_what_to_do_instead(
    mine: Environment, workspace: Workspace, compute: Compute, reference: str, told: str
) -> None:
    Environment.objects.create(workspace=workspace, name="file", source="six\n")
    chosen = intake_environments.choose(workspace, reference, compute, lambda path: None)
    assert (chosen.name, chosen.recipe) == ("", None)
    assert told in chosen.notes[0]
    assert "the Python of compute “local” is used" in chosen.notes[0]
