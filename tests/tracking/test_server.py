"""The tracking server's process: its secret, its settings, its start and its end."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest
from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository

from sweeps.gateway.routes import artifact_owner, match
from sweeps.tracking.client import Point, Tracking
from sweeps.tracking.schema import ensure_schema
from sweeps.tracking.server import SecretGate, configure_mlflow, read_settings
from tests import servers

GOOD = {
    "STUDIO_TRACKING_PORT": "5000",
    "STUDIO_TRACKING_SECRET": "s",
    "STUDIO_TRACKING_STORE": "sqlite:////tmp/x.db",
    "STUDIO_TRACKING_ARTIFACTS": "/tmp/a",
}


def make_store_one_revision_behind(store_uri: str) -> tuple[str, str]:
    """Make MLflow's tables as of the release step before the installed one; both revisions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from alembic import command
        from alembic.script import ScriptDirectory
        from mlflow.store.db import utils

        engine = utils.create_sqlalchemy_engine(store_uri)
        config = utils._get_alembic_config(store_uri)
        head = utils._get_latest_schema_revision()
        before = ScriptDirectory.from_config(config).get_revision(head).down_revision
        utils.InitialBase.metadata.create_all(engine)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, before)
        engine.dispose()
    return before, head


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Studio-Secret", "")],
        [("X-Studio-Secret", "guess")],
        [("X-Studio-Secret", "a-secret-of-the-tests"), ("X-Studio-Secret", "guess")],
        [("Authorization", "Bearer a-secret-of-the-tests")],
    ],
)
@pytest.mark.parametrize("path", ["/health", "/version", "/", "/api/2.0/mlflow/experiments/search"])
def test_without_the_secret_every_path_is_401(tracking_server, path, headers):
    answer = httpx.get(tracking_server.url + path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_a_websocket_without_the_secret_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    async def never(*_):
        raise AssertionError("the request went through")

    scope = {"type": "websocket", "headers": []}
    asyncio.run(SecretGate(never, "s")(scope, never, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_foreign_host_header_is_refused_even_with_the_secret(tracking_server):
    headers = {"X-Studio-Secret": tracking_server.secret, "Host": "evil.example"}
    answer = httpx.get(f"{tracking_server.url}/api/2.0/mlflow/experiments/search", headers=headers)
    assert answer.status_code == 403


def server_of(stand_by: psutil.Process) -> psutil.Process:
    """The child that serves; another one waits to take the parent's place."""
    [found] = [child for child in stand_by.children() if child.name() == "server"]
    return found


def test_the_secret_is_on_no_command_line_and_one_process_serves(tracking_server):
    process = psutil.Process(tracking_server.process.pid)
    assert server_of(process).children() == []
    for one in (process, *process.children()):
        assert tracking_server.secret not in " ".join(one.cmdline())


def test_a_server_that_is_killed_keeps_nobody_waiting_for_an_import(tracking_server):
    """Connections are not even refused: the socket is open all the time."""
    process = psutil.Process(tracking_server.process.pid)
    for _ in range(2):
        serving = server_of(process)
        serving.kill()
        headers = {"X-Studio-Secret": tracking_server.secret}
        answer = httpx.get(f"{tracking_server.url}/health", headers=headers, timeout=20)
        assert answer.status_code == 200
        assert server_of(process).pid != serving.pid
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


def test_the_server_has_no_job_execution_and_its_own_workspace_setting(tracking_server):
    headers = {"X-Studio-Secret": tracking_server.secret}
    info = httpx.get(f"{tracking_server.url}/api/3.0/mlflow/server-info", headers=headers).json()
    assert (info["store_type"], info["workspaces_enabled"]) == ("SqlStore", False)
    job = {"job_name": "x", "params": {}}
    url = f"{tracking_server.url}/ajax-api/3.0/jobs/"
    assert httpx.post(url, headers=headers, json=job).status_code >= 400


def test_an_artifact_goes_up_and_comes_down_and_stands_under_the_artifact_directory(
    tracking_server, tracking
):
    experiment_id = tracking.get_or_create_experiment("default/artifacts", {})
    run_id = tracking.create_run(experiment_id, "r", {})
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/d/é a+b.txt"
    headers = {"X-Studio-Secret": tracking_server.secret}
    matched = match("PUT", path)
    assert matched is not None
    url = tracking_server.url + matched.upstream_path
    assert httpx.put(url, content=b"x" * 100_000, headers=headers).status_code == 200
    assert httpx.get(url, headers=headers).content == b"x" * 100_000
    file = tracking_server.artifacts / experiment_id / run_id / "artifacts" / "d" / "é a+b.txt"
    assert file.stat().st_size == 100_000


def test_the_official_client_asks_for_artifacts_under_the_path_of_the_tracking_uri(tracking):
    experiment_id = tracking.get_or_create_experiment("default/prefix", {})
    run_id = tracking.create_run(experiment_id, "r", {})
    base = "http://127.0.0.1:8000/tracking/default"
    uri = MlflowArtifactsRepository.resolve_uri(tracking.get_run(run_id).artifact_uri, base)
    assert uri.startswith(base + "/")
    matched = match("GET", uri.removeprefix(base) + "/model/MLmodel")
    assert matched is not None
    owner = artifact_owner(matched.captured["path"])
    assert owner is not None
    assert (owner.experiment_id, owner.run_id) == (experiment_id, run_id)


def test_settings_are_taken_and_the_secret_leaves_the_environment():
    environ = dict(GOOD)
    settings = read_settings(environ)
    assert (settings.port, settings.secret, environ) == (5000, "s", {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STUDIO_TRACKING_SECRET", ""),
        ("STUDIO_TRACKING_PORT", "0"),
        ("STUDIO_TRACKING_PORT", "65536"),
        ("STUDIO_TRACKING_PORT", "http"),
        ("STUDIO_TRACKING_ARTIFACTS", "artifacts"),
    ],
)
def test_a_missing_or_wrong_setting_is_named(name, value):
    with pytest.raises(SystemExit, match=name):
        read_settings(GOOD | {name: value})


def test_mlflow_variables_of_the_shell_are_dropped_and_others_kept():
    environ = {"MLFLOW_ENABLE_WORKSPACES": "true", "_MLFLOW_SERVER_ARTIFACT_ROOT": "x", "HOME": "h"}
    configure_mlflow(environ, read_settings(dict(GOOD)))
    assert "MLFLOW_ENABLE_WORKSPACES" not in environ
    assert environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] == "mlflow-artifacts:/"
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environ["HOME"] == "h"


def test_the_schema_is_made_once_in_wal_mode_and_without_a_word(tmp_path: Path):
    store = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    code = f"from sweeps.tracking.schema import ensure_schema as e; e({store!r}, {str(tmp_path)!r})"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, timeout=150
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with closing(sqlite3.connect(tmp_path / "new" / "mlflow.db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_an_older_schema_is_upgraded_and_keeps_its_rows(tmp_path: Path):
    file = tmp_path / "mlflow.db"
    before, head = make_store_one_revision_behind(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as database, database:
        assert database.execute("SELECT * FROM alembic_version").fetchall() == [(before,)]
        database.execute("INSERT INTO experiments (name) VALUES ('default/old')")
    ensure_schema(f"sqlite:///{file}", tmp_path / "artifacts")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT * FROM alembic_version").fetchall() == [(head,)]
        assert database.execute("SELECT name FROM experiments").fetchall() == [("default/old",)]


def test_a_database_of_a_newer_mlflow_is_refused_with_what_to_do(tmp_path: Path):
    file = tmp_path / "mlflow.db"
    make_store_one_revision_behind(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'of_the_future'")
    with pytest.raises(RuntimeError, match=r"newer MLflow .*of_the_future.*restore a backup"):
        ensure_schema(f"sqlite:///{file}", tmp_path / "artifacts")


def test_a_server_keeps_its_data_over_kill_and_ends_when_it_is_asked_to(tmp_path: Path):
    from tests.tracking.conftest import start_tracking_server

    first = start_tracking_server(tmp_path)
    client = Tracking(first.url, first.secret)
    experiment_id = client.get_or_create_experiment("default/kill", {})
    run_id = client.create_run(experiment_id, "r", {})
    client.log_batch(run_id, [Point("loss", 0.5, 1, 1)])
    client.close()
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(timeout=60)
    second = start_tracking_server(tmp_path)
    client = Tracking(second.url, second.secret)
    assert client.get_run(run_id).metrics == {"loss": 0.5}
    second.process.terminate()
    second.process.wait(timeout=60)
    assert client.healthy() is False
    client.close()


def test_a_server_that_is_not_up_in_time_for_a_test_is_ended(tmp_path, monkeypatch):
    started = []

    def give_up(server):
        started.append(server)
        pytest.fail("It takes too long.")

    monkeypatch.setattr(servers, "wait_until_healthy", give_up)
    with pytest.raises(pytest.fail.Exception, match="too long"):
        servers.start_tracking_server(tmp_path)
    assert [server.process.poll() is not None for server in started] == [True]


def test_a_request_that_needs_too_much_memory_fails_and_others_go_on(tmp_path: Path) -> None:
    server = servers.start_tracking_server(tmp_path, STUDIO_TRACKING_MEMORY_MB="700")
    api, headers = f"{server.url}/api/2.0/mlflow/", {"X-Studio-Secret": server.secret}
    named = {"source_type": "local", "source": "{}", "schema": "s" * 1_000_000}
    try:
        with httpx.Client(base_url=api, headers=headers, timeout=60) as client:
            small, large = (
                client.post("runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
                for _ in range(2)
            )
            for number in range(0, 120, 4):
                sets = [
                    {"dataset": {"name": f"d{n}", "digest": f"{n}", **named}}
                    for n in range(number, number + 4)
                ]
                body = {"run_id": large["run_id"], "datasets": sets}
                assert client.post("runs/log-inputs", json=body).status_code == 200
            worker = _worker(server.process.pid)
            assert client.get("runs/get", params={"run_id": large["run_id"]}).status_code == 500
            assert client.get("runs/get", params={"run_id": small["run_id"]}).status_code == 200
            assert psutil.Process(worker).memory_info().rss < 2**30
    finally:
        servers.end(server)


def _worker(stand_by: int) -> int:
    [found] = [p.pid for p in psutil.Process(stand_by).children() if p.name() == "server"]
    return found
