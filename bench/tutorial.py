"""The tutorial's sweep (iris, LightGBM, 20 trials) in the studio and by what people do without it.

    python bench/tutorial.py [--rounds 2] [--trials 20] [--models both|on|off]

In turn, as the tutorial stands and with `log_models=False` in its call of autolog:

- in a running studio, from Submit to the sweep's end;
- the same commands by `xargs -P 2`, and a plain loop of `hyperopt.fmin` in one process that trains
  and logs the same, both from their start to their end, logging to a plain `mlflow server`.
"""

import argparse
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peers
from common import ROOT, Studio, cpu_s, studio, told, tree

from tests.e2e.studios import until

IRIS = ROOT / "examples" / "iris_lightgbm"
AT_ONCE = 2
PARTS = ("engine", "queue", "web", "tracking")
# How much longer the shell's loop takes at least.
GOALS = {"as it stands": 2.5, "without models": 6.0}
GOAL_OF_FMIN = 2.0
FMIN = """
import sys
import main, mlflow, numpy
from hyperopt import fmin, hp, rand

def objective(point):
    words = ["--learning-rate", str(point["learning_rate"]), "--boosting", point["boosting"]]
    sys.argv = ["main.py", "--iris-csv", "iris.csv", *words]
    main.main()
    return mlflow.last_active_run().data.metrics["test-multi_logloss"]

space = {
    "learning_rate": hp.uniform("learning_rate", 0.01, 0.9),
    "boosting": hp.choice("boosting", ["gbdt", "dart"]),
}
fmin(objective, space, algo=rand.suggest, max_evals=int(sys.argv[1]), show_progressbar=False,
     rstate=numpy.random.default_rng(42))
"""

Point = dict[str, Any]


def code(folder: Path, *, models: bool) -> Path:
    """The tutorial's code, as it stands or without logged models."""
    place = folder / ("as-it-stands" if models else "without-models")
    shutil.copytree(IRIS, place, ignore=shutil.ignore_patterns("__pycache__"))
    if not models:
        script = (place / "main.py").read_text()
        changed = script.replace("mlflow.autolog()", "mlflow.autolog(log_models=False)")
        assert changed != script, "the tutorial does not call autolog as it did"
        (place / "main.py").write_text(changed)
    (place / "by_fmin.py").write_text(FMIN)
    return place


def in_the_studio(place: Studio, folder: Path, trials: int) -> tuple[float, list[Point]]:
    """Seconds from Submit to the sweep's end, and the points that it tried."""
    job = {
        "type": "sweep",
        "experiment_name": "bench",
        "trial": {
            "code": str(folder),
            "command": "python main.py --iris-csv ${{inputs.iris_csv}} "
            "--learning-rate ${{search_space.learning_rate}} "
            "--boosting ${{search_space.boosting}}",
        },
        "inputs": {"iris_csv": {"type": "uri_file", "path": "./iris.csv"}},
        "search_space": {
            "learning_rate": {"type": "uniform", "min_value": 0.01, "max_value": 0.9},
            "boosting": {"type": "choice", "values": ["gbdt", "dart"]},
        },
        "sampling_algorithm": {"type": "random", "seed": 42},
        "objective": {"goal": "minimize", "primary_metric": "test-multi_logloss"},
        "limits": {"max_total_trials": trials, "max_concurrent_trials": AT_ONCE},
    }
    began = time.monotonic()
    name = place.submit(job)
    # Read past the API: a client that polls would be on the bill.
    query = "SELECT run_closed FROM sweeps_sweep WHERE name = ?"
    until(lambda: place.rows(query, name)[0][0], "the end of the sweep", 1800)
    took = time.monotonic() - began
    sweep = place.get(f"sweeps/{name}")
    assert sweep["counts"] == {"Completed": trials}, sweep
    return took, [trial["params"] for trial in place.trials(name)]


def in_a_shell(url: str, folder: Path, points: list[Point]) -> float:
    """Seconds of the same commands, two at a time."""
    lines = "\n".join(
        f"--learning-rate {p['learning_rate']} --boosting {p['boosting']}" for p in points
    )
    python = shlex.quote(peers.python())
    command = f"xargs -P {AT_ONCE} -L 1 {python} main.py --iris-csv iris.csv"
    return timed(["sh", "-c", command], url, folder, "shell", lines)


def by_fmin(url: str, folder: Path, points: list[Point]) -> float:
    """Seconds of the loop in one process."""
    return timed([peers.python(), "by_fmin.py", str(len(points))], url, folder, "fmin", "")


def timed(command: list[str], url: str, folder: Path, experiment: str, text: str) -> float:
    env = peers.environment(MLFLOW_TRACKING_URI=url, MLFLOW_EXPERIMENT_NAME=experiment)
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=env, input=text, text=True, capture_output=True, check=False
    )
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr[-2000:]
    return took


def spent(place: Studio) -> dict[str, float]:
    """CPU seconds that each part has used; trials are not among them."""
    return {part: cpu_s(tree(place.pid_of(part))) for part in PARTS}


class Figures:
    """Seconds of each way, and the studio's CPU."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.shell: list[float] = []
        self.fmin: list[float] = []
        self.cpu: dict[str, list[float]] = {part: [] for part in PARTS}


def one_round(
    place: Studio,
    server: tuple[str, int],
    folder: Path,
    trials: int,
    points: list[Point],
    found: Figures,
) -> None:
    """All three ways; whoever goes last finds warmer files, or a busier machine."""

    url, pid = server

    def ours() -> None:
        before = spent(place)
        with peers.asleep(pid):
            found.ours.append(in_the_studio(place, folder, trials)[0])
        for part, seconds in spent(place).items():
            found.cpu[part].append((seconds - before[part]) / trials * 1000)

    ways: list[Callable[[], None]] = [
        ours,
        lambda: found.shell.append(in_a_shell(url, folder, points)),
        lambda: found.fmin.append(by_fmin(url, folder, points)),
    ]
    for way in ways if len(found.ours) % 2 == 0 else reversed(ways):
        way()


def tell(title: str, trials: int, found: Figures) -> None:
    told(f"{trials} trials {title}, in the studio", found.ours, "s")
    told(f"{trials} trials {title}, by xargs -P {AT_ONCE}", found.shell, "s")
    told(f"{trials} trials {title}, by hyperopt.fmin", found.fmin, "s")
    times = [a / b for a, b in zip(found.shell, found.ours, strict=True)]
    told(f"{title}: as fast as the shell's loop", times, "times", GOALS[title], at_least=True)
    times = [a / b for a, b in zip(found.ours, found.fmin, strict=True)]
    told(f"{title}: as long as hyperopt.fmin", times, "times", GOAL_OF_FMIN)
    for part, values in found.cpu.items():
        told(f"{title}: CPU of {part} per trial", values, "ms")
    print(f"median of the studio: {statistics.median(found.ours) / trials:.2f} s a trial")


def main(rounds: int, trials: int, models: str) -> None:
    """Measure in turn."""
    wanted = {"as it stands": models != "off", "without models": models != "on"}
    titles = [title for title, is_wanted in wanted.items() if is_wanted]
    with tempfile.TemporaryDirectory(prefix="bench-") as name, studio(AT_ONCE) as place:
        folder = Path(name)
        codes = {title: code(folder, models=title == "as it stands") for title in titles}
        found = {title: Figures() for title in titles}
        (folder / "server").mkdir()
        with peers.mlflow_server(folder / "server") as server:
            # Warms files, imports and both servers up. One alone, for it makes the experiment:
            # of two at once MLflow refuses one.
            _, points = in_the_studio(place, codes[titles[-1]], trials)
            in_a_shell(server[0], codes[titles[-1]], points[:1])
            for _ in range(rounds):
                for title in titles:
                    one_round(place, server, codes[title], trials, points, found[title])
    for title in titles:
        tell(title, trials, found[title])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--models", choices=("both", "on", "off"), default="both")
    given = parser.parse_args()
    main(given.rounds, given.trials, given.models)
