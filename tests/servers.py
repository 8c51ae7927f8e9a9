"""Real servers for tests: the tracking server, in a directory of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

SECRET = "a-secret-of-the-tests"
CHECKOUT = Path(__file__).resolve().parents[1]
START_LIMIT_S = 120


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
            pass  # not yet
        time.sleep(0.05)
    pytest.fail(f"the tracking server was not healthy within {START_LIMIT_S} s")


def start_tracking_server(home: Path, port: int = 0, **more: str) -> TrackingServer:
    port = port or free_port()
    store_uri = f"sqlite:///{home / 'mlflow.db'}"
    environ = os.environ | {
        "STUDIO_TRACKING_PORT": str(port),
        "STUDIO_TRACKING_SECRET": SECRET,
        "STUDIO_TRACKING_STORE": store_uri,
        "STUDIO_TRACKING_ARTIFACTS": str(home / "artifacts"),
        # What a user's shell may hold and the server must not believe:
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "MLFLOW_ENABLE_WORKSPACES": "true",
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps.tracking.server"], cwd=CHECKOUT, env=environ
    )
    server = TrackingServer(
        f"http://127.0.0.1:{port}", SECRET, store_uri, home / "artifacts", process
    )
    try:
        wait_until_healthy(server)
    except BaseException:
        end(server)
        raise
    return server


def end(server: TrackingServer) -> None:
    """Stop the server, which must be gone before its folder is."""
    server.process.terminate()
    try:
        server.process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
        raise


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = start_tracking_server(tmp_path_factory.mktemp("tracking"))
    yield server
    end(server)
