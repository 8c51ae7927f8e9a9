"""Memory and CPU of an idle studio. Peer: an idle `mlflow server` with its defaults."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from common import Studio, cpu_s, pss_mib, studio, tree

from tests.e2e.jobs import quick
from tests.e2e.studios import until

SECONDS = 30.0


def share(pids: dict[str, list[int]], seconds: float) -> dict[str, float]:
    """CPU of each group of processes over the span, in % of one core."""
    before = {name: cpu_s(group) for name, group in pids.items()}
    began = time.monotonic()
    time.sleep(seconds)  # the span that is measured
    took = time.monotonic() - began
    return {name: (cpu_s(group) - before[name]) / took * 100 for name, group in pids.items()}


def table(title: str, pids: dict[str, list[int]], seconds: float) -> tuple[float, float]:
    """Print memory and CPU per part; returns the sums."""
    cpu = share(pids, seconds)
    memory = {name: pss_mib(group) for name, group in pids.items()}
    print(f"{title:<20} {'PSS MiB':>8} {'CPU %':>7}")
    for name, group in pids.items():
        print(f"  {name:<18} {memory[name]:8.0f} {cpu[name]:7.2f}   {len(group)} processes")
    sums = sum(memory.values()), sum(cpu.values())
    print(f"  {'all':<18} {sums[0]:8.0f} {sums[1]:7.2f}", flush=True)
    return sums


def parts(place: Studio) -> dict[str, list[int]]:
    """Every process of the studio, by part."""
    assert place.process is not None
    names = json.loads((place.home / "processes.json").read_text())
    found = {name: tree(place.pid_of(name)) for name in names}
    known = {pid for group in found.values() for pid in group}
    found["supervisor"] = [pid for pid in tree(place.process.pid) if pid not in known]
    return found


def peer(seconds: float) -> None:
    """The same of MLflow's own server."""
    from studio.supervisor.home import free_port

    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(port)]
        store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        process = subprocess.Popen(
            [*command, *store], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: _answers(port), "mlflow server", 120)
            table("mlflow server", {"all of it": tree(process.pid)}, seconds)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def main(seconds: float) -> None:
    with studio() as place:
        place.wait_final(place.submit(quick(0, trials=4)), 60)  # idle after work, not before it
        place.get("sweeps")
        memory, cpu = table("studio", parts(place), seconds)
        assert Path(f"/proc/{place.pid_of('web')}").exists()
    print(f"memory: goal < 1024 MiB: {'met' if memory < 1024 else 'MISSED'}")
    print(f"CPU: goal < 3 % of a core: {'met' if cpu < 3 else 'MISSED'}")
    peer(seconds)


if __name__ == "__main__":
    main(float((sys.argv[1:] or [SECONDS])[0]))
