"""A start does no more than it has to, and the health page says what is still to come."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from studio import bootstrap
from sweeps.queries import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The management commands that bootstrap calls."""
    names: list[str] = []
    monkeypatch.setattr(bootstrap, "call_command", lambda name, **_: names.append(name))
    return names


def test_a_database_that_is_up_to_date_is_left_alone(called: list[str]) -> None:
    bootstrap.migrate()
    assert called == []


def test_one_missing_migration_has_all_of_them_looked_at(called: list[str]) -> None:
    MigrationRecorder(connection).record_unapplied("sweeps", "0001_initial")
    bootstrap.migrate()
    assert called == ["migrate"]


def test_every_migration_that_django_knows_is_looked_for() -> None:
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    assert bootstrap._migrations() == set(loader.disk_migrations)


@pytest.fixture
def gathered(tmp_path: Path) -> Iterator[Path]:
    """The file that says which static files were gathered."""
    with override_settings(STATIC_ROOT=tmp_path / "static"):
        yield tmp_path / "static" / ".stamp"


def test_static_files_are_gathered_beside_the_rest_and_once(
    gathered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bootstrap.static_files():
        pass
    assert gathered.exists()
    assert (gathered.parent / "css").is_dir()
    monkeypatch.setattr("os.fork", lambda: pytest.fail("gathered again"))
    with bootstrap.static_files():
        pass


def test_a_start_without_static_files_says_so(
    gathered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(bootstrap, "call_command", fail)
    with pytest.raises(ImproperlyConfigured, match="static files"), bootstrap.static_files():
        pass
    assert not gathered.exists()


def test_what_fails_meanwhile_is_told_and_nothing_is_left_running(
    gathered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked: list[int] = []
    fork = os.fork
    monkeypatch.setattr("os.fork", lambda: forked.append(fork()) or forked[-1])
    with pytest.raises(ValueError, match="a migration"), bootstrap.static_files():
        raise ValueError("a migration")
    assert not Path(f"/proc/{forked[0]}").exists()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A web process that has seen no part yet, in a studio that has just been started."""
    monkeypatch.setattr(health, "_seen", set())
    monkeypatch.setattr(health, "_cached", (time.monotonic() + 60, health.DOWN))
    with override_settings(STARTED_S=time.monotonic()):
        yield


def test_what_was_not_up_yet_is_starting(client: Client, fresh: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (503, "starting")
    parts = dict.fromkeys(("engine", "queue", "tracking"), "starting")
    assert response.json()["parts"] == {"web": "up", **parts}


def test_what_was_up_before_is_down(
    client: Client, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_cached", (time.monotonic() + 60, health.UP))
    assert client.get("/healthz").json()["parts"]["tracking"] == "up"
    monkeypatch.setattr(health, "_cached", (time.monotonic() + 60, health.DOWN))
    body = client.get("/healthz").json()
    assert (body["status"], body["parts"]["tracking"]) == ("degraded", "down")


def test_what_never_came_up_is_down_in_the_end(client: Client, fresh: None) -> None:
    with override_settings(STARTED_S=time.monotonic() - health.START_S):
        body = client.get("/healthz").json()
    assert (body["status"], body["parts"]["engine"]) == ("degraded", "down")
