"""`mlflow.log_metric` in a trial, through the gateway. Peer: the same calls to `mlflow server`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from common import Studio, studio, told

from tests.e2e.jobs import job
from tests.e2e.studios import until

CALLS = 200
SCRIPT = f"""
import time
import mlflow
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0)
    for step in range({CALLS}):
        began = time.perf_counter()
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        print(f"took {{(time.perf_counter() - began) * 1000}}", flush=True)
"""


def figures(text: str) -> list[float]:
    """Milliseconds of each call, from the script's output."""
    found = [float(line.split()[1]) for line in text.splitlines() if line.startswith("took ")]
    assert len(found) == CALLS, f"{len(found)} of {CALLS} calls"
    return found


def in_a_trial(place: Studio, folder: Path) -> list[float]:
    doc = job("python measure.py --x ${{search_space.x}}", trials=1, at_once=1)
    doc["trial"]["code"] = str(folder)
    name = place.submit(doc)
    assert place.wait_final(name, 120)["status"] == "Completed"
    return figures(place.ask("GET", f"sweeps/{name}/trials/0/logs/stdout").text)


def to_mlflow_server(folder: Path) -> list[float]:
    from studio.supervisor.home import free_port

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    store = f"sqlite:///{folder}/mlflow.db"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    with subprocess.Popen(
        [*command, "--port", str(port)], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until(lambda: _answers(url), "mlflow server", 120)
            env = {**os.environ, "MLFLOW_TRACKING_URI": url, "MLFLOW_DISABLE_TELEMETRY": "true"}
            done = subprocess.run(
                [sys.executable, "measure.py"], cwd=folder, env=env, check=True,
                capture_output=True, text=True,
            )  # fmt: skip
        finally:
            process.terminate()
    return figures(done.stdout)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        code, server = Path(name) / "code", Path(name) / "server"
        code.mkdir()
        server.mkdir()
        for folder in (code, server):
            (folder / "measure.py").write_text(SCRIPT)
        with studio() as place:
            ours = in_a_trial(place, code)
        theirs = to_mlflow_server(server)
    told("mlflow.log_metric in a trial", ours, "ms")
    told("mlflow.log_metric to mlflow server", theirs, "ms")


if __name__ == "__main__":
    main()
