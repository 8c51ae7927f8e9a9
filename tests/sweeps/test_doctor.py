"""`manage.py doctor`: what it finds, and what it advises."""

import socket
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from studio import isolation
from studio.models import AuditEntry, Compute, Membership, Role, User, Workspace
from sweeps.management import checkup
from tests.conftest import NOW


@pytest.fixture
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> Path:
    """A home and a port that are nobody's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.STUDIO_PORT = free.getsockname()[1]
    settings.STUDIO_HOME = tmp_path
    settings.STUDIO_MIN_FREE_MB = 1
    # The one line that differs between machines has a test of its own.
    monkeypatch.setitem(checkup.CHECKS, "packages", lambda: ("as they should be", ""))
    monkeypatch.setattr(isolation, "problems", lambda _python: ["The studio lacks CAP_CHOWN."])
    return tmp_path


def examined() -> str:
    out = StringIO()
    call_command("doctor", stdout=out)
    return out.getvalue()


def test_all_is_well(home: Path) -> None:
    text = examined()
    assert [line[:4] for line in text.splitlines()] == ["ok  "] * len(checkup.CHECKS)
    assert "migrated" in text
    assert "is free: the studio does not run" in text


def test_what_is_wrong_comes_with_its_remedy_and_an_exit_code(
    home: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = home / "secret_key"
    secret.write_text("s")
    secret.chmod(0o644)
    settings.STUDIO_MIN_FREE_MB = 10**12

    def away(_: object) -> None:
        raise OperationalError("connection refused\nmore")

    monkeypatch.setattr(checkup, "MigrationExecutor", away)
    out = StringIO()
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.STUDIO_PORT))
        other.listen()
        monkeypatch.setattr(checkup.httpx, "get", refuse)
        with pytest.raises(CommandError, match="To be mended: 4"):
            call_command("doctor", stdout=out)
    text = out.getvalue()
    for told in [
        f"Run `chmod 600 {secret}`.",
        "Free space on the disk",
        "does not answer: connection refused\n",
        "Start it, or mend DATABASE_URL.",
        "is taken by another program",
    ]:
        assert told in text


def test_a_studio_for_others_without_an_owner_is_bad(home: Path, settings: Any) -> None:
    settings.STUDIO_URL = "https://studio.example.org"
    out = StringIO()
    with pytest.raises(CommandError, match="To be mended: 1"):
        call_command("doctor", stdout=out)
    assert "Run `.venv/bin/python manage.py owner NAME`." in out.getvalue()


def test_whether_computes_can_be_isolated_is_tried(
    home: Path, settings: Any, compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "it would not work here: The studio lacks CAP_CHOWN." in examined()
    compute.isolated = True
    compute.save()
    out = StringIO()
    with pytest.raises(CommandError, match="To be mended: 1"):
        call_command("doctor", stdout=out)
    assert "1 of 1 computes; it does not work here\n" in out.getvalue()
    assert f"{'':<15}The studio lacks CAP_CHOWN.\n" in out.getvalue()
    monkeypatch.setattr(isolation, "problems", lambda _python: [])
    Compute.objects.create(workspace=compute.workspace, name="plain", slots=1)
    assert "1 of 2 computes" in examined()
    assert "programs on the others run as the studio" in examined()


def test_owners_who_run_programs_nowhere_else_are_named(
    home: Path, workspace: Workspace, rita: User, bob: User, charlie: User
) -> None:
    root = User.objects.create_superuser("root")
    for name, owner, maker in (
        ("toys", rita, None), ("games", rita, rita), ("team", rita, root), ("bobs", bob, None),
        ("roots", root, None),
    ):  # fmt: skip
        made = Workspace.objects.create(name=name)
        Membership.objects.create(workspace=made, user=owner, role=Role.OWNER)
        if maker:
            AuditEntry.objects.create(
                at=NOW, workspace=made, user=maker, who=str(maker), verb="created",
                noun="workspace", name=name, origin="page",
            )  # fmt: skip
    text = examined()
    assert "somebody give them these workspaces? elsewhere (charlie)\n" in text, (
        "root gave rita one"
    )
    Workspace.objects.filter(name="team").delete()
    assert "elsewhere (charlie), toys (rita), games (rita)\n" in examined()


def refuse(*_: object, **__: object) -> None:
    raise checkup.httpx.ReadTimeout("slow")


def test_packages_are_compared_with_the_lock(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "# made by uv\nhttpx==0.0.1\n    # via x\nno-such-package==1\n"
        "other==2 ; sys_platform == 'win32'\n"
    )
    text, remedy = checkup._packages()
    assert text.startswith("httpx is ")
    assert text.endswith(", not 0.0.1; no-such-package is missing")
    assert "pip install --requirement" in remedy
    lock.write_text(f"httpx=={checkup.version('httpx')}\n")
    assert checkup._packages() == ("1 as in requirements.txt", "")
