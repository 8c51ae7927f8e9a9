"""The demo's 20 iris trials in the studio, and the same 20 commands by `xargs -P`.

Both log to the same tracking process at the same concurrency: the studio's trials through its
gateway, the bare loop straight to the server, whose secret a request-header plug-in adds.
`demo_vs_shell.py [ROUNDS] [TRIALS]`
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, Studio, cpu_s, studio, told, tree

IRIS = ROOT / "examples" / "iris_lightgbm"
PARTS = ("engine", "queue", "web", "tracking")
AT_ONCE = os.cpu_count() or 1
PLUGIN = """
import os
from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider
class Secret(RequestHeaderProvider):
    def in_context(self):
        return True
    def request_headers(self):
        return {"X-Studio-Secret": os.environ["BENCH_SECRET"]}
"""
ENTRY = "[mlflow.request_header_provider]\nsecret = bench_secret:Secret\n"


def in_the_studio(place: Studio, trials: int) -> tuple[float, list[dict[str, Any]]]:
    """Seconds from Submit to the sweep's end, and the points that it tried."""
    began = time.monotonic()
    job = {
        "type": "sweep",
        "experiment_name": "bench",
        "trial": {
            "code": str(IRIS),
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
    name = place.submit(job)
    sweep = place.wait_final(name, 1800)
    took = time.monotonic() - began
    assert sweep["counts"] == {"Completed": trials}, sweep
    return took, [trial["params"] for trial in place.trials(name)]


def in_a_shell(place: Studio, points: list[dict[str, Any]]) -> float:
    """Seconds that the bare loop takes."""
    threads = max(1, (os.cpu_count() or 1) // AT_ONCE)
    port = _tracking_port(place)
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / "bench_secret-1.dist-info"
        info.mkdir()
        (Path(folder) / "bench_secret.py").write_text(PLUGIN)
        (info / "entry_points.txt").write_text(ENTRY)
        (info / "METADATA").write_text("Name: bench-secret\nVersion: 1\n")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", folder),
            "PYTHONPATH": folder,
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": str(threads),
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
            "MLFLOW_EXPERIMENT_NAME": "bare",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BENCH_SECRET": (place.home / "tracking_secret").read_text().strip(),
        }
        lines = "\n".join(
            f"--learning-rate {p['learning_rate']} --boosting {p['boosting']}" for p in points
        )
        python = shlex.quote(sys.executable)
        command = f"xargs -P {AT_ONCE} -L 1 {python} main.py --iris-csv iris.csv"
        began = time.monotonic()
        subprocess.run(
            ["sh", "-c", command], cwd=IRIS, env=env, input=lines, text=True, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        took = time.monotonic() - began
    [[count]] = place.runs(
        "SELECT count(*) FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id "
        "WHERE e.name = 'bare' AND r.status = 'FINISHED'"
    )
    assert count > 0
    assert count % len(points) == 0, f"the bare loop logged {count} runs"
    return took


def _tracking_port(place: Studio) -> str:
    """The port that the supervisor chose; the engine's environment knows it."""
    variables = Path(f"/proc/{place.pid_of('engine')}/environ").read_bytes().split(b"\0")
    name = b"STUDIO_TRACKING_PORT="
    return next(v.removeprefix(name).decode() for v in variables if v.startswith(name))


def spent(place: Studio) -> dict[str, float]:
    """CPU seconds that each part has used; trials are not among them."""
    return {part: cpu_s(tree(place.pid_of(part))) for part in PARTS}


def main(rounds: int, trials: int) -> None:
    ours, bare = [], []
    cost: dict[str, list[float]] = {part: [] for part in PARTS}
    with studio() as place:
        _, points = in_the_studio(place, AT_ONCE)  # warms up files and imports
        for round_number in range(rounds):
            # Whoever goes second finds warmer files, or a busier machine: take turns.
            if round_number % 2:
                bare.append(in_a_shell(place, points))
            before = spent(place)
            took, points = in_the_studio(place, trials)
            ours.append(took)
            for part, seconds in spent(place).items():
                cost[part].append((seconds - before[part]) / trials)
            if not round_number % 2:
                bare.append(in_a_shell(place, points))
    told(f"{trials} trials, {AT_ONCE} at a time, in the studio", ours, "s")
    told("the same commands by xargs -P", bare, "s")
    for part, values in cost.items():
        told(f"CPU of {part} per trial", values, "s")
    told("ratio", [a / b for a, b in zip(ours, bare, strict=True)], "", 1.3)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [1, 20][len(numbers) :]))
