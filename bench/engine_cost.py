"""CPU that the studio spends per trial, in a sweep of many short trials that log one value each.

Beside it, in the same run: what `hyperopt.fmin` and Optuna spend on as many trials that do
nothing at all, in one process, without a tracking server, a queue or a process per trial.
`engine_cost.py [TRIALS] [AT_ONCE]`
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import TICK_S, Studio, cpu_s, studio, told, tree

from tests.e2e.jobs import job
from tests.e2e.studios import until

GOAL_MS = 40.0
OURS = ("queue", "web", "engine")
# The standard library alone; says what it cost itself, its interpreter's start included.
TOY = """
import sys, time
from tracked import log
x = float(sys.argv[1])
log("loss", (x - 0.3) ** 2)
print("cpu", time.process_time())
"""


def reaped_s(pid: int) -> float:
    """CPU seconds of the children that a process has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK_S


def spent(place: Studio) -> dict[str, float]:
    """CPU seconds so far, by who spent them."""
    assert place.process is not None
    parts = (*OURS, "tracking")
    found = {part: cpu_s([place.pid_of(part)]) for part in parts}
    for part in ("web", "tracking"):  # their workers are below them
        found[part] = cpu_s(tree(place.pid_of(part)))
    found["supervisor"] = cpu_s([place.process.pid])
    # Launchers are children of the queue; guards, with all below them, become the supervisor's.
    found["below"] = reaped_s(place.pid_of("queue")) + reaped_s(place.process.pid)
    return found


def commands_s(place: Studio, name: str) -> float:
    """CPU seconds that the commands say they needed."""
    [sweep] = place.rows("SELECT uid FROM sweeps_sweep WHERE name = ?", name)
    logs = (place.home / "trials" / sweep["uid"]).glob("*/stdout.log")
    return sum(float(log.read_text().split("cpu")[1]) for log in logs)


def ours(trials: int, at_once: int) -> dict[str, float]:
    """CPU milliseconds per trial, by part."""
    with studio(slots=at_once) as place, tempfile.TemporaryDirectory() as code:
        scripts = Path(__file__).parents[1] / "tests" / "e2e" / "scripts"
        Path(code, "tracked.py").write_bytes((scripts / "tracked.py").read_bytes())
        Path(code, "toy.py").write_text(TOY)
        doc = job("python toy.py ${{search_space.x}}", trials=4, at_once=at_once)
        doc["trial"]["code"] = code
        place.wait_final(place.submit(doc), 60)  # warms up
        doc["limits"]["max_total_trials"] = trials
        before, began = spent(place), time.monotonic()
        name = place.submit(doc)
        until(lambda: _done(place, name), "the end of the sweep", 60 + trials * 3)
        took = time.monotonic() - began
        after = spent(place)
        cost = {part: (after[part] - before[part]) / trials * 1000 for part in after}
        command = commands_s(place, name) / trials * 1000
        assert place.get(f"sweeps/{name}")["counts"] == {"Completed": trials}
    cost["guard and shim"] = cost.pop("below") - command
    print(f"{trials} trials, {at_once} at once, in {took:.1f} s: CPU ms per trial")
    return {**cost, "the command itself": command}


def _done(place: Studio, name: str) -> bool:
    """Read past the API: a client that polls would be on the bill."""
    return bool(place.rows("SELECT run_closed FROM sweeps_sweep WHERE name = ?", name)[0][0])


def measured(work: Callable[[], object], trials: int) -> float:
    """CPU milliseconds of this process per trial."""
    before = time.process_time()
    work()
    return (time.process_time() - before) / trials * 1000


def by_hyperopt(trials: int) -> None:
    """Random search over the same space."""
    import numpy
    from hyperopt import fmin, hp, rand

    space = {"x": hp.uniform("x", 0, 1)}
    fmin(
        lambda point: (point["x"] - 0.3) ** 2, space, algo=rand.suggest, max_evals=trials,
        show_progressbar=False, rstate=numpy.random.default_rng(7),
    )  # fmt: skip


def by_optuna(trials: int, storage: str | None) -> None:
    """The same by Optuna, in memory or in SQLite."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=7))
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.3) ** 2, n_trials=trials)


def peers(trials: int) -> dict[str, float]:
    """CPU milliseconds per no-op trial; the first calls warm the imports up."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/optuna.db"
        works = {
            "hyperopt.fmin (random)": lambda count: by_hyperopt(count),
            "optuna, in memory": lambda count: by_optuna(count, None),
            "optuna, SQLite": lambda count: by_optuna(count, url),
        }
        found = {}
        for name, work in works.items():
            work(2)
            found[name] = measured(lambda: work(trials), trials)  # noqa: B023
    return found


def main(trials: int, at_once: int) -> None:
    cost = ours(trials, at_once)
    told(f"CPU per trial, {' + '.join(OURS)}", [sum(cost[part] for part in OURS)], "ms", GOAL_MS)
    for part, milliseconds in cost.items():
        told(f"CPU per trial, {part}", [milliseconds], "ms")
    for name, milliseconds in peers(trials).items():
        told(f"CPU per trial that does nothing, {name}", [milliseconds], "ms")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [150, 2][len(numbers) :]))
