"""Trials per second of a sweep whose trials only log one metric, by `mlflow.log_metric`.

    python bench/quick_trials.py [--trials 500] [--shell 30]

Peer: the same commands by `xargs -P 2` against a plain `mlflow server`, before and after. Beside
it, what is no peer: as many calls of a function by `hyperopt.fmin` and Optuna in one process, which
log nothing and keep no trial from harming the next.
"""

import argparse
import random
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import peers
from common import Studio, studio, told
from engine_cost import by_hyperopt, by_optuna

from tests.e2e.jobs import job
from tests.e2e.studios import until

AT_ONCE = 2
GOAL_PER_S, GOAL_TIMES = 6.0, 10.0
SCRIPT = """
import sys
import mlflow

with mlflow.start_run():
    mlflow.log_metric("loss", (float(sys.argv[1]) - 0.3) ** 2)
"""


def in_the_studio(place: Studio, code: Path, trials: int) -> float:
    """Trials per second, from Submit to the sweep's end."""
    doc = job("python one.py ${{search_space.x}}", trials=trials, at_once=AT_ONCE)
    doc["trial"]["code"] = str(code)
    doc["limits"]["timeout"] = 7200
    began = time.monotonic()
    name = place.submit(doc)
    # Read past the API: a client that polls would be on the bill.
    query = "SELECT run_closed FROM sweeps_sweep WHERE name = ?"
    until(lambda: place.rows(query, name)[0][0], "the end of the sweep", 60 + trials * 5)
    took = time.monotonic() - began
    counts = place.get(f"sweeps/{name}")["counts"]
    assert counts == {"Completed": trials}, counts
    return trials / took


def in_a_shell(url: str, code: Path, trials: int) -> float:
    """Trials per second of as many commands."""
    draw = random.Random(7)
    lines = "\n".join(str(draw.random()) for _ in range(trials))
    command = f"xargs -P {AT_ONCE} -L 1 {shlex.quote(peers.python())} one.py"
    began = time.monotonic()
    done = subprocess.run(
        ["sh", "-c", command], cwd=code, env=peers.environment(MLFLOW_TRACKING_URI=url),
        input=lines, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return trials / (time.monotonic() - began)


def in_process(trials: int) -> None:
    """Calls per second of those that have no process per trial."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/optuna.db"
        works = {
            "hyperopt.fmin in one process": by_hyperopt,
            "Optuna in memory in one process": lambda count: by_optuna(count, None),
            "Optuna on SQLite in one process": lambda count: by_optuna(count, url),
        }
        for name, work in works.items():
            work(2)  # imports
            began = time.monotonic()
            work(trials)
            told(f"{name}, nothing logged", [trials / (time.monotonic() - began)], "/s")


def main(trials: int, shell: int) -> None:
    """Measure in turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, studio(AT_ONCE) as place:
        code, server = Path(name) / "code", Path(name) / "server"
        code.mkdir()
        server.mkdir()
        (code / "one.py").write_text(SCRIPT)
        with peers.mlflow_server(server) as (url, pid):
            in_the_studio(place, code, 4)  # warms up
            in_a_shell(url, code, 2)
            theirs = [in_a_shell(url, code, shell)]
            with peers.asleep(pid):
                ours = in_the_studio(place, code, trials)
            theirs.append(in_a_shell(url, code, shell))
    told(f"{trials} trials in the studio", [ours], "/s", GOAL_PER_S, at_least=True)
    told(f"{shell} of the same commands by xargs -P {AT_ONCE}", theirs, "/s")
    times = [ours / rate for rate in theirs]
    told("as fast as the shell's loop", times, "times", GOAL_TIMES, at_least=True)
    in_process(min(trials, 500))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--shell", type=int, default=30)
    given = parser.parse_args()
    main(given.trials, given.shell)
