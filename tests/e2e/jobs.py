"""Jobs of the end-to-end tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.scripts.toy_objective import curve

SCRIPTS = Path(__file__).parent / "scripts"
X = {"x": {"type": "uniform", "min_value": 0.0, "max_value": 1.0}}


def job(
    command: str, trials: int = 2, at_once: int = 2, metric: str = "loss", **more: Any
) -> dict[str, Any]:
    """A random sweep of `command` over x."""
    limits = {"max_total_trials": trials, "max_concurrent_trials": at_once, "timeout": 600}
    doc = {
        "type": "sweep",
        "trial": {"code": str(SCRIPTS), "command": command},
        "search_space": more.pop("space", X),
        "sampling_algorithm": {"type": "random", "seed": 7},
        "objective": {"goal": "minimize", "primary_metric": metric},
        "limits": limits | more.pop("limits", {}),
    }
    return doc | more


def quick(seconds: float, trials: int = 4, at_once: int = 2, **more: Any) -> dict[str, Any]:
    """Trials of so many seconds that log (x - 0.3)^2."""
    command = f"python quick.py ${{{{search_space.x}}}} {seconds}"
    return job(command, trials=trials, at_once=at_once, **more)


def toy(trials: int, at_once: int, *words: str, **more: Any) -> dict[str, Any]:
    """Trials of `toy.py`, whose every value `toy_curve` knows."""
    line = " ".join(("python toy.py --x ${{search_space.x}}", *words))
    return job(line, trials=trials, at_once=at_once, **more)


def toy_curve(seed: int = 0, reports: int = 1) -> Callable[[dict[str, Any]], list[float]]:
    """What such a trial logs, by its parameters."""
    return lambda params: curve(float(params["x"]), seed, reports)


def patient(file: Path, trials: int = 2) -> dict[str, Any]:
    """Trials that wait for `file`, then log (x - 0.3)^2."""
    return job(f"python patient.py ${{{{search_space.x}}}} {file}", trials=trials)


def oracle(params: dict[str, Any]) -> float:
    """What `quick.py` and `patient.py` log."""
    return (float(params["x"]) - 0.3) ** 2
