"""Seconds from `make run` to the first page, and until everything is up.

    python bench/start.py [--rounds 5] [--against CHECKOUT]

Peer, in turn: `mlflow server` to its first page. `--against` measures another checkout of the
studio too, as an earlier version.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers
from common import ROOT, told

from studio.supervisor.home import free_port
from tests.e2e.studios import environment, until

GOAL_S = 4.0


def command(checkout: Path) -> list[str]:
    """`make run` where that has nothing to set up, else what it runs."""
    ready = subprocess.run(["make", "--question", "setup"], cwd=checkout, capture_output=True)
    if ready.returncode == 0:
        return ["make", "run"]
    return [sys.executable, "manage.py", "studio"]


def started(checkout: Path, home: Path) -> tuple[float, float]:
    """Seconds to the sign-in page, and until the studio says that all of it is up."""
    port = free_port()
    log = home.parent / "log"
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            command(checkout), cwd=checkout, env=environment(home, port), stdout=file, stderr=file,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            page = first_page(f"http://127.0.0.1:{port}/accounts/login/") - began
            until(lambda: "| ready:" in log.read_text(), f"a ready studio: {log}", 180)
            return page, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(timeout=60)


def first_page(url: str) -> float:
    """When there was one."""
    while not peers.answers(url):
        time.sleep(0.02)
    return time.monotonic()


def of_mlflow(folder: Path) -> float:
    """Seconds from `mlflow server` to its first page, on the store in `folder`."""
    began = time.monotonic()
    with peers.mlflow_server(folder) as (url, _pid):
        return first_page(url) - began


def main(rounds: int, against: Path | None) -> None:
    """Measure in turn."""
    fresh, page, everything, peer = [], [], [], []
    before: list[float] = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-bench-"))
        home, store = Path(folder) / "home", Path(folder) / "mlflow"
        store.mkdir()
        of_mlflow(store)  # makes the tables
        fresh.append(started(ROOT, home)[0])
        if against:  # in a home of its own, for each checkout has its own static files
            started(against, home.with_name("other"))
        for _ in range(rounds):
            first, ready = started(ROOT, home)
            page.append(first)
            everything.append(ready)
            if against:
                before.append(started(against, home.with_name("other"))[0])
            peer.append(of_mlflow(store))
    told("make run to the first page", page, "s", GOAL_S)
    told("make run to all parts up", everything, "s")
    told("make run to the first page, first start of a home", fresh, "s")
    told("mlflow server to its first page", peer, "s")
    if against:
        told("the other checkout to the first page", before, "s")
        told("ratio", [a / b for a, b in zip(before, page, strict=True)], "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args()
    main(given.rounds, given.against)
