"""A script that logs many metrics one by one: in a trial, and against `mlflow server`.

The same script against the studio's gateway, `mlflow server` as it starts by default and `mlflow
server -w 1`, in turn, round by round, each on a SQLite store of its own; then as many scripts at
once as `--at-once` says. All three are up; two of them have nothing to do. Beside the times: CPU
per call of the script and of the servers.
`log_metric.py [--calls N] [--rounds N] [--at-once N] [--quick]`
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import peers
from common import Studio, cpu_s, studio, told, tree

from tests.e2e.jobs import job
from tests.e2e.studios import until

# So much faster than the default server, and than the one with a single worker.
GOALS = {"mlflow server": 5.0, "mlflow server -w 1": 1.0}
# Waits until all are ready: starting an interpreter is no part of it.
SCRIPT = """
import json, os, sys, time
from pathlib import Path
import mlflow
meeting, calls = Path(sys.argv[1]), int(sys.argv[2])
took = []
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0)
    (meeting / f"ready-{os.getpid()}").touch()
    while not (meeting / "go").exists():
        time.sleep(0.005)
    cpu, began = time.process_time(), time.perf_counter()
    for step in range(calls):
        before = time.perf_counter()
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        took.append((time.perf_counter() - before) * 1000)
    told = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "ms": took}
    part = meeting / f"part-{os.getpid()}"
    part.write_text(json.dumps(told))
    part.rename(meeting / f"done-{os.getpid()}")
"""
# Starts so many scripts in a meeting, which log so many values each; returns once they have ended.
Start = Callable[[Path, int, int], Callable[[], None]]


class Figures:
    """What one way to log has taken: seconds and medians of each script, CPU per call in ms."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.calls_ms: list[float] = []
        self.rate: list[float] = []
        self.script_ms: list[float] = []
        self.server_ms: list[float] = []


Pids = Callable[[], list[int]]


def measure(start: Start, pids: Pids, scripts: int, calls: int, to: Figures) -> None:
    """One round: `scripts` at once. `pids` are the processes of the server."""
    with tempfile.TemporaryDirectory() as name:
        meeting = Path(name)
        wait = start(meeting, scripts, calls)
        until(lambda: len(list(meeting.glob("ready-*"))) == scripts, "the scripts", 240)
        before, began = cpu_s(pids()), time.perf_counter()
        (meeting / "go").touch()
        until(lambda: len(list(meeting.glob("done-*"))) == scripts, "their end", 600)
        took = time.perf_counter() - began
        spent = cpu_s(pids()) - before
        found = [json.loads(path.read_text()) for path in meeting.glob("done-*")]
        wait()
    count = scripts * calls
    to.seconds.append(statistics.median(one["s"] for one in found))
    to.calls_ms += [ms for one in found for ms in one["ms"]]
    to.rate.append(count / took)
    to.script_ms.append(sum(one["cpu_s"] for one in found) / count * 1000)
    to.server_ms.append(spent / count * 1000)


# --- The studio ---------------------------------------------------------------------------------


def in_trials(place: Studio, code: Path) -> Start:
    """Trials of a sweep."""

    def start(meeting: Path, scripts: int, calls: int) -> Callable[[], None]:
        line = f"python measure.py {meeting} {calls} ${{{{search_space.x}}}}"
        doc = job(line, trials=scripts, at_once=scripts)
        doc["trial"]["code"] = str(code)
        name = place.submit(doc)

        def wait() -> None:
            assert place.wait_final(name, 120)["status"] == "Completed"

        return wait

    return start


@contextmanager
def the_studio(code: Path, at_once: int) -> Iterator[tuple[Start, Pids]]:
    with studio(slots=at_once) as place:

        def pids() -> list[int]:
            found = [place.pid_of(part) for part in ("queue", "engine")]
            for part in ("web", "tracking"):  # their workers are below them
                found += tree(place.pid_of(part))
            return found

        yield in_trials(place, code), pids


# --- Peers --------------------------------------------------------------------------------------


def as_processes(url: str, code: Path) -> Start:
    """Plain processes, as from a shell."""

    def start(meeting: Path, scripts: int, calls: int) -> Callable[[], None]:
        env = peers.environment(MLFLOW_TRACKING_URI=url)
        command = [peers.python(), "measure.py", str(meeting), str(calls)]
        running = [
            subprocess.Popen(
                command, cwd=code, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for _ in range(scripts)
        ]

        def wait() -> None:
            assert [process.wait(120) for process in running] == [0] * scripts

        return wait

    return start


@contextmanager
def a_server(code: Path, *words: str) -> Iterator[tuple[Start, Pids]]:
    with (
        tempfile.TemporaryDirectory() as name,
        peers.mlflow_server(Path(name), *words) as (url, pid),
    ):
        yield as_processes(url, code), lambda: tree(pid)


# --- All of it ----------------------------------------------------------------------------------


def run(calls: int, rounds: int, at_once: int) -> None:
    alone: dict[str, Figures] = {}
    many: dict[str, Figures] = {}
    few = max(20, calls // at_once)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        code = Path(name)
        (code / "measure.py").write_text(SCRIPT)
        ways = {
            "studio": stack.enter_context(the_studio(code, at_once)),
            "mlflow server": stack.enter_context(a_server(code)),
            "mlflow server -w 1": stack.enter_context(a_server(code, "-w", "1")),
        }
        for start, pids in ways.values():
            measure(start, pids, 1, 20, Figures())  # warms up
        for _ in range(rounds):
            for way, (start, pids) in ways.items():
                measure(start, pids, 1, calls, alone.setdefault(way, Figures()))
        for way, (start, pids) in ways.items():
            measure(start, pids, at_once, few, many.setdefault(way, Figures()))
    tell(f"one script, {calls:,} calls", alone, GOALS)
    tell(f"{at_once} scripts at once, {few:,} calls each", many, {})


def tell(title: str, figures: dict[str, Figures], goals: dict[str, float]) -> None:
    """Medians and ranges, and how many times as long each peer takes."""
    for way, found in figures.items():
        told(f"{title}: {way}: all of it", found.seconds, "s")
        told(f"{title}: {way}: a call", found.calls_ms, "ms")
        told(f"{title}: {way}: calls together", found.rate, "/s")
        told(f"{title}: {way}: CPU of the script per call", found.script_ms, "ms")
        told(f"{title}: {way}: CPU of the servers per call", found.server_ms, "ms")
    ours = statistics.median(figures["studio"].seconds)
    for way, found in figures.items():
        if way != "studio":
            ratio = statistics.median(found.seconds) / ours
            name = f"{title}: as fast as {way}"
            told(name, [ratio], "times", goals.get(way), at_least=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="fewer calls, one round")
    given = parser.parse_args()
    if given.quick:
        given.calls, given.rounds = min(given.calls, 200), 1
    run(given.calls, given.rounds, given.at_once)


if __name__ == "__main__":
    main()
