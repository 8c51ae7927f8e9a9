"""What programs change by a token, and people by a command, leaves entries, too."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command, get_commands
from django.test import Client

from studio.models import ApiToken, AuditEntry, User, Workspace
from sweeps.gateway import members
from sweeps.gateway.identity import MemberCaller
from sweeps.gateway.routes import ROUTES, Kind, Matched, Route
from tests.api.conftest import Caller
from tests.api.fuzz import stage as stages

JOB = {
    "type": "sweep",
    "trial": {"command": "python t.py --lr ${{search_space.lr}}"},
    "sampling_algorithm": "random",
    "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
    "objective": {"primary_metric": "loss", "goal": "minimize"},
    "limits": {"max_total_trials": 2, "max_concurrent_trials": 1},
}
WS, ENV = "/workspaces/{ws}", "/workspaces/{ws}/environments"
SWEEP = f"{WS}/sweeps/{{name}}"
TRIAL = f"{SWEEP}/trials/{{number}}"
CHANNEL = {"name": "c", "kind": "slack", "address": "https://example.org/canary-9f2c"}

# Operation -> the noun of its entry, its path's values, its body; in the order of the walk.
OPERATIONS: dict[tuple[str, str], tuple[str, dict[str, Any], Any]] = {
    ("POST", "/workspaces"): ("workspace", {}, {"name": "made-by-a-program"}),
    ("PATCH", WS): ("workspace", {}, {"title": "T"}),
    ("POST", f"{WS}/computes"): ("compute", {}, {"name": "c2", "slots": 2}),
    ("PATCH", f"{WS}/computes/{{name}}"): ("compute", {"name": "c2"}, {"slots": 3}),
    ("DELETE", f"{WS}/computes/{{name}}"): ("compute", {"name": "c2"}, None),
    ("POST", ENV): ("environment", {}, {"name": "e2", "source": "tqdm"}),
    ("PATCH", f"{ENV}/{{name}}"): ("environment", {"name": "e2"}, {"description": "d"}),
    ("POST", f"{ENV}/{{name}}/build"): ("environment", {"name": "e2"}, None),
    ("DELETE", f"{ENV}/{{name}}/build"): ("environment", {"name": "e2"}, None),
    ("DELETE", f"{ENV}/{{name}}"): ("environment", {"name": "e2"}, None),
    ("POST", f"{WS}/sweeps"): ("sweep", {}, JOB),
    ("POST", f"{WS}/code"): ("code", {}, {"code": ("c.zip", stages.zipped("print(2)"))}),
    ("POST", f"{WS}/data"): ("data", {}, {"file": ("d.csv", b"1,2,3")}),
    ("POST", f"{WS}/bundles"): ("sweep", {}, "bundle"),
    ("PATCH", SWEEP): ("sweep", {"name": "going"}, {"description": "d"}),
    ("POST", f"{SWEEP}/clone"): ("sweep", {"name": "ended"}, {}),
    ("POST", f"{SWEEP}/pause"): ("sweep", {"name": "going"}, None),
    ("POST", f"{SWEEP}/resume"): ("sweep", {"name": "going"}, None),
    ("POST", f"{SWEEP}/trials"): ("trial", {"name": "going"}, "point"),
    ("POST", f"{SWEEP}/trials/rerun"): ("trial", {"name": "ended"}, None),
    ("POST", f"{TRIAL}/cancel"): ("trial", {"name": "ended", "number": 1}, None),
    ("PATCH", TRIAL): ("trial", {"name": "going", "number": 0}, {"pinned": True}),
    ("POST", f"{TRIAL}/register"): ("model", {"name": "ended", "number": 0}, {"name": "churn"}),
    ("POST", f"{TRIAL}/rerun"): ("trial", {"name": "ended", "number": 1}, None),
    ("POST", f"{SWEEP}/stop"): ("sweep", {"name": "going"}, None),
    ("POST", f"{SWEEP}/cancel"): ("sweep", {"name": "paused"}, None),
    ("DELETE", SWEEP): ("sweep", {"name": "brought"}, None),
    ("PUT", f"{WS}/secrets/{{name}}"): ("secret", {"name": "KEY"}, {"value": "canary-9f2c"}),
    ("DELETE", f"{WS}/secrets/{{name}}"): ("secret", {"name": "KEY"}, None),
    ("POST", f"{WS}/channels"): ("channel", {}, CHANNEL),
    ("DELETE", f"{WS}/channels/{{channel_id}}"): ("channel", {}, None),
    ("DELETE", WS): ("workspace", {}, None),
}


def operations() -> set[tuple[str, str]]:
    """Operations of the schema that may change something."""
    schema = json.loads(Client().get("/api/v1/openapi.json").content)
    return {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, found in schema["paths"].items()
        for method in found
        if method != "get"
    }


def test_every_operation_that_changes_something_has_a_row(db: None) -> None:
    assert operations() == set(OPERATIONS), "Give these a row above."


@pytest.fixture
def walked(db: None) -> Any:
    return stages.set_up()


def _body(caller: Caller, walked: Any, body: Any) -> tuple[str, Any]:
    if body == "bundle":
        return "upload", {"bundle": SimpleUploadedFile("b.zip", stages.bundle())}
    if body == "point":
        trial = caller.get(f"/workspaces/{walked.ws}/sweeps/going/trials/0").json()
        return "json", {"params": trial["params"]}
    if isinstance(body, dict) and body and isinstance(next(iter(body.values())), tuple):
        return "upload", {name: SimpleUploadedFile(*file) for name, file in body.items()}
    return "json", body


def test_each_change_by_a_token_leaves_an_entry_with_its_hint(walked: Any) -> None:
    caller = Caller(walked.token)
    hint = ApiToken.objects.get().hint
    problems = []
    for (method, path), (noun, values, body) in OPERATIONS.items():
        where = path.format(**({"ws": walked.ws, "channel_id": walked.channel} | values))
        how, sent = _body(caller, walked, body)
        count = AuditEntry.objects.count()
        answer = (
            caller.upload(where, **sent) if how == "upload" else caller.send(method, where, sent)
        )
        entries = AuditEntry.objects.order_by("id")[count:]
        told = [(entry.noun, entry.token_hint, entry.origin, entry.who) for entry in entries]
        if (noun, hint, "REST", walked.ws) not in told:
            problems.append(f"{method} {where}: {answer.status_code} {told}")
    assert "\n".join(problems) == ""
    assert "canary" not in str(list(AuditEntry.objects.values()))


# --- Commands -----------------------------------------------------------------------------------

# Commands of ours that leave no entry, and why.
NO_ENTRY = {
    "studio": "supervises; what the first start makes is nobody's",
    "studio_engine": "a process of the studio",
    "studio_health": "a process of the studio",
    "studio_queue": "a process of the studio",
    "doctor": "only looks",
    "demo": "needs the running studio; it is a PersonsCommand as `sweep` is",
}


def _token(folder: Path) -> None:
    call_command("token", stdout=StringIO())


def _signin(folder: Path) -> None:
    call_command("signin", user="alice", stdout=StringIO())


def _sweep(folder: Path) -> None:
    job = folder / "job.json"
    job.write_text(json.dumps(JOB))
    call_command("sweep", "submit", str(job), stdout=StringIO())


def _rotate_key(folder: Path) -> None:
    call_command("rotate_key", stdout=StringIO())


def _owner(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", StringIO("quite-a-password-1\n"))
        call_command("owner", "alice", stdout=StringIO())


COMMANDS: dict[str, Callable[[Path], None]] = {
    "owner": _owner,
    "token": _token,
    "signin": _signin,
    "sweep": _sweep,
    "rotate_key": _rotate_key,
}


def ours() -> set[str]:
    return {name for name, app in get_commands().items() if app in ("studio", "sweeps")}


def test_every_command_of_ours_is_judged() -> None:
    assert ours() == {*COMMANDS, *NO_ENTRY}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_changes_something_leaves_an_entry(
    name: str, alice: User, compute: Any, tmp_path: Path
) -> None:
    COMMANDS[name](tmp_path)
    assert {(entry.who, entry.origin) for entry in AuditEntry.objects.all()} == {
        ("command line", "command line")
    }


# --- Tracking -----------------------------------------------------------------------------------

# Kinds of writes to MLflow that leave an entry; the others are what programs log.
NOTED = {Kind.RUN_DELETE, Kind.EXPERIMENT, Kind.REGISTRY}
LOGGED = {
    Kind.LOG, Kind.RUN_CREATE, Kind.RUN_WRITE, Kind.LOGGED_MODEL, Kind.ARTIFACT_WRITE,
}  # fmt: skip


def test_every_kind_of_write_is_judged() -> None:
    assert {route.kind for route in ROUTES if route.writes} == NOTED | LOGGED


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.writes and route.kind in NOTED - {Kind.REGISTRY}],
    ids=lambda route: route.pattern.rpartition("/")[2],
)
def test_a_member_s_change_leaves_an_entry(route: Route, workspace: Workspace, alice: User) -> None:
    from studio import actor

    body = {"run_id": "r1", "experiment_id": "7", "name": "default/x"}
    by = actor.Actor(actor.Origin.TRACKING, lambda: alice, lambda: "192.0.2.1", "sst_abcd")
    with actor.acting(by):
        members.note(MemberCaller("default", True), Matched(route, {}, route.pattern), body)
    entry = AuditEntry.objects.get()
    assert entry.noun in ("run", "experiment")
    assert entry.verb == route.pattern.rpartition("/")[2]
    assert entry.name in ("r1", "7", "default/x")
    assert (entry.workspace, entry.token_hint, entry.origin) == (workspace, "sst_abcd", "tracking")
