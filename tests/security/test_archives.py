"""Hostile archives at every place that takes one: nothing outside, little memory, plain words."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from studio.models import Compute, Role, User, Workspace
from studio.services import create_token
from tests.api.conftest import Caller
from tests.security.hostile_archives import harmless, hostile

MOST_S, MOST_MIB = 5.0, 256


def test_they_cost_little_and_leave_nothing_outside(tmp_path: Path) -> None:
    given = [*hostile().values(), *harmless().values()]
    (tmp_path / "in").mkdir()
    for number, (name, data) in enumerate(given):
        (tmp_path / "in" / f"{number:03d} {name}").write_bytes(data)
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.unpacking", str(tmp_path)],
        capture_output=True, text=True, cwd=settings.BASE_DIR, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(given)
    for why, (_name, said, seconds, peak) in zip([*hostile(), *harmless()], told, strict=True):
        assert bool(said) is (why in hostile()), (why, said)
        assert seconds < MOST_S, (why, seconds)
        assert peak < MOST_MIB, (why, peak)
    after = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    assert {path.parts[0] for path in after - before} == {"kept"}
    kept = list((tmp_path / "kept").iterdir())
    assert 0 < len(kept) <= len(harmless()), "no half of anything stays"
    assert not [path for path in kept if path.name.startswith(".")]
    assert not [path for path in after if path.is_symlink()]


def test_there_are_forty_and_more() -> None:
    assert len(hostile()) >= 40


@pytest.fixture
def page(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def api(workspace: Workspace, bob: User, now: datetime) -> Caller:
    made = create_token(workspace, bob, role=Role.CONTRIBUTOR, name="t", now=now)
    return Caller(made.secret)


@pytest.fixture
def intakes(page: Client, api: Caller, compute: Compute) -> dict[str, Callable[[io.BytesIO], Any]]:
    """Every place that unpacks what somebody hands in."""
    pages, rest = "/w/default/sweeps", "/workspaces/default"
    return {
        "the form of a new sweep": lambda file: page.post(
            f"{pages}/new", {"code_file": file, "action": "upload"}
        ),
        "a bundle in the browser": lambda file: page.post(f"{pages}/import", {"bundle": file}),
        "code over REST": lambda file: api.upload(f"{rest}/code", code=file),
        "a folder of data over REST": lambda file: api.upload(f"{rest}/data", folder=file),
        "a bundle over REST": lambda file: api.upload(f"{rest}/bundles", bundle=file),
    }


def left(home: Path) -> set[str]:
    """All files and folders of the studio's home, databases apart."""
    return {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if ".db" not in path.name and not path.name.startswith("tests")
    }


@pytest.mark.django_db
def test_every_intake_refuses_every_one_in_words(
    intakes: dict[str, Callable[[io.BytesIO], Any]], settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = tmp_path / "a" / "home"
    settings.STUDIO_HOME.mkdir(parents=True)
    quick = {why: case for why, case in hostile().items() if len(case[1]) < 2**20}
    assert len(quick) >= 40
    for where, hand_in in intakes.items():
        before = left(tmp_path)
        # A whole page is drawn for each in the form, whose code goes the same way.
        step = 5 if "form" in where else 1
        for why, (name, data) in list(quick.items())[::step]:
            file = io.BytesIO(data)
            file.name = name
            answer = hand_in(file)
            assert answer.status_code in (200, 422), (where, why, answer.status_code)
            body = answer.content.decode()
            refused = (
                '"errors"' in body or "Nothing was imported" in body or "f-code_file-error" in body
            )
            assert refused, (where, why, body[-3000:])
        new = {path for path in left(tmp_path) - before if path.count("/") > 2}
        assert new == set(), (where, new)
