"""Memory and CPU of an idle studio. Peer: an idle `mlflow server` with its defaults."""

import json
import sys
import tempfile
import time
from pathlib import Path

import peers
from common import Studio, cpu_s, pss_mib, studio, told, tree

from tests.e2e.jobs import quick

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


def main(seconds: float) -> None:
    with studio() as place:
        place.wait_final(place.submit(quick(0, trials=4)), 60)  # idle after work, not before it
        place.get("sweeps")
        memory, cpu = table("studio", parts(place), seconds)
    with tempfile.TemporaryDirectory() as folder, peers.mlflow_server(Path(folder)) as (_, pid):
        theirs = table("mlflow server", {"all of it": tree(pid)}, seconds)
    told("idle studio, memory", [memory], "MiB", 1024)
    told("idle studio, CPU of a core", [cpu], "%", 3)
    told("idle mlflow server, memory", [theirs[0]], "MiB")
    told("idle mlflow server, CPU of a core", [theirs[1]], "%")


if __name__ == "__main__":
    main(float((sys.argv[1:] or [SECONDS])[0]))
