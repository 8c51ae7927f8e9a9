"""Every operation of REST x method x token: who is let in, and that the others learn nothing."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from studio.models import ApiToken, Role, Workspace
from studio.models.token import digest
from studio.services import create_token
from sweeps import intake, intake_places
from sweeps.models import Attempt
from sweeps.queries.places import artifacts_at
from sweeps.stores import snapshots
from sweeps.stores.uploads import place_of
from tests.api.fuzz import stage as staging
from tests.api.fuzz.sending import BODIES
from tests.conftest import person
from tests.security.matrix.rows import OPERATIONS, Who
from tests.security.matrix.stage import ask, asked_for, plain

BASE = "/api/v1"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
RANK = {"reader": Who.READER, "contributor": Who.CONTRIBUTOR, "owner": Who.OWNER}
# What a token that may is answered: 409 and 422 for how things stand and what was sent.
WELL = (200, 201, 202, 204, 304, 409, 422)
MISSING = {"ws": "nothere", "name": "nothere", "number": 987654, "channel_id": 987654,
           "digest": "ab" * 32, "run_id": "ab" * 16, "path": "nothere"}  # fmt: skip

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.timeout(600)]


class Stage:
    """Two workspaces alike, and tokens of the first one by what they may."""

    def __init__(self) -> None:
        self.here, self.there = _set_up(), _set_up()
        ws, now = Workspace.objects.get(name=self.here.ws), timezone.now()
        self.tokens = {
            role.value: create_token(
                ws, person(f"a-{role}", ws, role), role=role, name="t", now=now
            ).secret
            for role in Role
        }
        self.elsewhere = self.there.token
        gone = person("gone", ws, Role.OWNER)
        self.dead = {
            "revoked": _token(ws, gone, revoked_at=now),
            "expired": _token(ws, gone, expires_at=now - timedelta(seconds=1)),
            "of somebody who left": _token(ws, person("left", None, None)),
            "a trial's": "stt_of-a-running-trial",
            "none": "",
        }
        running = Attempt.objects.get(run_id=self.here.run)
        Attempt.objects.filter(pk=running.pk).update(token_digest=digest("stt_of-a-running-trial"))
        self.client = Client(raise_request_exception=False)

    def address(self, operation: str, which: str = "own", **more: Any) -> str:
        """The address of an operation with ids of here, of there, or missing ones."""
        method, path = operation.split(" ")
        known = (self.there if which == "there" else self.here).known(path, method)
        values = {name: one[0] for name, one in known.items()}
        values |= MISSING if which == "missing" else {}
        return BASE + path.format(**(values | {"ws": self.here.ws} | more))

    def ask(self, operation: str, address: str, token: str, method: str = "") -> tuple[int, bytes]:
        """Status and body, undone."""
        asked = method or operation.split(" ")[0]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        more: dict[str, Any] = {}
        if asked not in ("GET", "HEAD"):
            verb, path = operation.split(" ")
            body = (BODIES.get(f"{verb} {BASE}{path}") or ({},))[0]
            more = {"data": json.dumps(body), "content_type": "application/json"}
        return ask(self.client, asked, address, headers=headers, **more)[:2]


def _token(workspace: Workspace, user: Any, **changes: Any) -> str:
    made = create_token(workspace, user, role=Role.OWNER, name="x", now=timezone.now())
    ApiToken.objects.filter(pk=made.token.pk).update(**changes) if changes else None
    return made.secret


def _set_up() -> staging.Stage:
    found = staging.set_up()
    for number, attempt in enumerate(Attempt.objects.filter(trial__sweep__experiment_id="")):
        sweep = attempt.trial.sweep
        sweep.experiment_id = str(sweep.pk)
        sweep.save(update_fields=["experiment_id"])
        run = f"{attempt.pk:032x}"
        Attempt.objects.filter(pk=attempt.pk).update(run_id=run)
        type(attempt.trial).objects.filter(pk=attempt.trial_id).update(run_id=run)
        folder = artifacts_at(str(sweep.pk), run)
        assert folder is not None, number
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.txt").write_text("a")
    sweep = Workspace.objects.get(name=found.ws).sweeps.get(name="ended")
    run = Attempt.objects.get(trial__sweep=sweep, trial__number=0).run_id
    return replace(found, run=run)


@pytest.fixture
def stage(settings: Any) -> Stage:
    settings.STUDIO_API_RATE = 0
    return Stage()


def operations() -> set[str]:
    """All operations of the schema, as the rows name them."""
    schema = json.loads(Client().get(f"{BASE}/openapi.json").content)
    return {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, found in schema["paths"].items()
        for method in found
    }


def unjudged(rows: dict[str, Who]) -> list[str]:
    """Operations without a row, and rows without an operation."""
    return sorted(operations() ^ set(rows))


def test_every_operation_has_a_row() -> None:
    assert unjudged(OPERATIONS) == [], "Give these a row in tests/security/matrix/rows.py."


def test_a_row_that_is_missing_is_told() -> None:
    gone = "DELETE /workspaces/{ws}/sweeps/{name}"
    assert unjudged({name: row for name, row in OPERATIONS.items() if name != gone}) == [gone]


def test_every_token_may_what_its_role_may_and_not_a_thing_more(stage: Stage) -> None:
    wrong = []
    for operation, who in OPERATIONS.items():
        for role, token in stage.tokens.items():
            status, _body = stage.ask(operation, stage.address(operation), token)
            is_right = status in WELL if RANK[role] >= who else status == 404
            if not is_right:
                wrong.append((role, operation, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_token_that_is_no_longer_good_is_none(stage: Stage) -> None:
    wrong = []
    for operation in OPERATIONS:
        for kind, token in stage.dead.items():
            status, _body = stage.ask(operation, stage.address(operation), token)
            if status != 401:
                wrong.append((kind, operation, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_session_is_no_token(stage: Stage, alice: Any) -> None:
    stage.client.force_login(alice)
    for operation in OPERATIONS:
        assert stage.ask(operation, stage.address(operation), "")[0] == 401, operation


def test_other_methods_are_refused(stage: Stage) -> None:
    wrong = []
    for path in {operation.split(" ")[1] for operation in OPERATIONS}:
        taken = {one.split(" ")[0] for one in OPERATIONS if one.split(" ")[1] == path}
        taken |= {"HEAD"} if "GET" in taken else set()
        one = next(operation for operation in OPERATIONS if operation.split(" ")[1] == path)
        for method in set(METHODS) - taken:
            status, _body = stage.ask(one, stage.address(one), stage.tokens["owner"], method)
            if status != 405:
                wrong.append((method, path, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_another_workspace_is_answered_as_one_that_is_not_there(stage: Stage) -> None:
    """With the token of its owner, with ids that are there."""
    wrong = []
    for operation in OPERATIONS:
        if "{ws}" not in operation:
            continue
        foreign = stage.address(operation)
        missing = stage.address(operation, "missing", ws="nothere")
        if not _same(stage, operation, foreign, missing, stage.elsewhere):
            wrong.append((operation, stage.ask(operation, foreign, stage.elsewhere)))
    assert not wrong, "\n".join(map(str, wrong))


def test_ids_of_elsewhere_are_missing_in_the_own_workspace(stage: Stage) -> None:
    """Numbers and names of things there, in the place of things here."""
    here = Workspace.objects.get(name=stage.here.ws)
    _rename(stage)
    wrong = []
    for operation in OPERATIONS:
        names = [name for name in ("{name}", "{channel_id}", "{run_id}") if name in operation]
        if not names or operation.startswith("PUT "):
            continue
        foreign = stage.address(operation, "there", **_far(stage, operation))
        missing = stage.address(operation, "missing")
        if not _same(stage, operation, foreign, missing, stage.tokens["owner"]):
            wrong.append((operation, stage.ask(operation, foreign, stage.tokens["owner"])))
    assert here.sweeps.exists()
    assert not wrong, "\n".join(map(str, wrong))


def _rename(stage: Stage) -> None:
    """What is in both workspaces is called otherwise in the other."""
    there = Workspace.objects.get(name=stage.there.ws)
    for rows in (there.sweeps, there.computes, there.environments, there.secrets):
        for row in rows.all():
            type(row).objects.filter(pk=row.pk).update(name=f"far-{row.name}")


def _far(stage: Stage, operation: str) -> dict[str, Any]:
    method, path = operation.split(" ")
    known = stage.there.known(path, method)
    return {"name": f"far-{known['name'][0]}"} if "{name}" in path else {}


def _same(stage: Stage, operation: str, foreign: str, missing: str, token: str) -> bool:
    status, body = stage.ask(operation, foreign, token)
    other_status, other = stage.ask(operation, missing, token)
    names = asked_for(foreign, missing)
    return status == other_status == 404 and plain(body, *names) == plain(other, *names)


def test_names_of_elsewhere_in_a_body_are_missing(stage: Stage) -> None:
    """Code, data and computes that a job names."""
    _rename(stage)
    there = Workspace.objects.get(name=stage.there.ws)
    archive = io.BytesIO(staging.zipped("print(2)\n"))
    theirs = snapshots.snapshot_archive(intake.code_root(), archive, "code.zip")
    code = intake.keep(there, theirs, "code.zip").digest
    upload, _ = intake.keep_data_file(there, [b"3,4\n"], "far.csv")
    job = BODIES[f"POST {BASE}/workspaces/{{ws}}/sweeps"][0]
    far, none = (
        str(intake.data_place(upload)),
        str(place_of(intake_places.data_root(), "ab" * 32, "far.csv")),
    )

    def answered(**changes: Any) -> tuple[int, bytes]:
        doc = json.loads(json.dumps(job)) | changes
        status, body, _where = ask(
            stage.client,
            "POST",
            f"{BASE}/workspaces/{stage.here.ws}/sweeps?dry_run=1",
            data=json.dumps(doc),
            content_type="application/json",
            headers={"Authorization": f"Bearer {stage.tokens['owner']}"},
        )
        body = re.sub(rb"[0-9a-f]{40,}", b"DIGEST", body)
        return status, plain(body, "far-used", "nothere")

    def naming(digest: str) -> dict[str, Any]:
        return {"trial": job["trial"] | {"code": f"studio:{digest}"}}

    def reading(path: str) -> dict[str, Any]:
        return {"inputs": {"x": {"type": "uri_file", "path": path}}}

    assert answered()[0] in (200, 201), answered()
    assert answered(**naming(code)) == answered(**naming("ab" * 32))
    assert answered(**naming(code))[0] == 422
    assert answered(**reading(far)) == answered(**reading(none))
    assert answered(**reading(far))[0] == 422
    # A compute that is not there is replaced by the default one, with a note.
    assert answered(compute="far-used") == answered(compute="nothere")
