"""The peers that are programs of their own: where their packages are, and MLflow's server."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from common import ROOT

from studio.supervisor.home import free_port
from tests.e2e.studios import until

# Else uvicorn kills, over and over, workers that a busy machine takes more than 5 s to start.
_PATIENT = ("--uvicorn-opts", "--timeout-worker-healthcheck 120")
# What a person's shell has, and nothing of a studio's.
_OURS = ("STUDIO_", "DJANGO_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE", "BENCH_")


def python() -> str:
    """The interpreter with the peers' packages: `make bench` makes it, else it is this one."""
    own = ROOT / ".venv" / "bench" / "bin" / "python"
    return str(own) if (own.parent.parent / ".complete").exists() else sys.executable


def environment(**more: str) -> dict[str, str]:
    """The environment of a peer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", **more}


@contextmanager
def mlflow_server(folder: Path, *words: str) -> Iterator[tuple[str, int]]:
    """`mlflow server` over a database in `folder`, with its defaults but for `words`.

    Gives its address and its pid.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    store = ("--backend-store-uri", f"sqlite:///{folder}/mlflow.db")
    kept = ("--artifacts-destination", str(folder / "artifacts"))
    process = subprocess.Popen(
        [
            python(), "-m", "mlflow", "server", *store, *kept, "--port", str(port), *_PATIENT,
            *words,
        ],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: answers(f"{url}/health"), "mlflow server", 180)
        yield url, process.pid
    finally:
        _end(process)


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """Stop a server of ours meanwhile: an idle one still takes a share of a core."""
    os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(pid, signal.SIGCONT)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It has workers and queues of its own, and leaves them behind if it alone is asked."""
    os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(url: str) -> bool:
    """Whether there is a page."""
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.HTTPError:
        return False
