"""One real tracking server for the session, in a directory of its own."""

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

from sweeps.tracking.client import Tracking

SECRET = "a-secret-of-the-tests"
CHECKOUT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 30


@dataclass(frozen=True)
class TrackingServer:
    """A running server: where it listens, what it stores and its process."""

    url: str
    secret: str
    store_uri: str
    artifacts: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(server: TrackingServer) -> None:
    """Return once `/health` answers; fail with the server's own words if it ends instead."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            pytest.fail(f"the tracking server ended with {server.process.returncode}")
        try:
            headers = {"X-Studio-Secret": server.secret}
            if httpx.get(f"{server.url}/health", headers=headers).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the tracking server was not healthy within {START_LIMIT_S} s")


def start_tracking_server(home: Path) -> TrackingServer:
    port = free_port()
    store_uri = f"sqlite:///{home / 'mlflow.db'}"
    environ = os.environ | {
        "STUDIO_TRACKING_PORT": str(port),
        "STUDIO_TRACKING_SECRET": SECRET,
        "STUDIO_TRACKING_STORE": store_uri,
        "STUDIO_TRACKING_ARTIFACTS": str(home / "artifacts"),
        # What a user's shell may hold and the server must not believe:
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "MLFLOW_ENABLE_WORKSPACES": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps.tracking.server"], cwd=CHECKOUT, env=environ
    )
    server = TrackingServer(
        f"http://127.0.0.1:{port}", SECRET, store_uri, home / "artifacts", process
    )
    wait_until_healthy(server)
    return server


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = start_tracking_server(tmp_path_factory.mktemp("tracking"))
    yield server
    server.process.terminate()
    server.process.wait(timeout=10)


@pytest.fixture(scope="session")
def tracking(tracking_server: TrackingServer) -> Iterator[Tracking]:
    client = Tracking(tracking_server.url, tracking_server.secret)
    yield client
    client.close()


@pytest.fixture(scope="session")
def official(tracking_server: TrackingServer) -> MlflowClient:
    """MLflow's own client on the same store, by its database and not by the server."""
    with warnings.catch_warnings():
        # MLflow's mappers are configured here, and they use a deprecated SQLAlchemy option.
        warnings.simplefilter("ignore")
        client = MlflowClient(tracking_uri=tracking_server.store_uri)
        client.search_experiments()
    return client
