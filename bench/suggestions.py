"""Milliseconds of one bayesian suggestion with many trials known, beside Hyperopt's and Optuna's.

    python bench/suggestions.py [--trials 10000] [--asks 12] [--alone]
    python bench/suggestions.py --quality [--trials 10000] [--seeds 3]

Ten parameters. The studio's sampler learns of one more trial before each ask, as it does in a
sweep; `hyperopt.tpe.suggest` gets its `Trials` made anew, as `hyperopt.fmin` with a database does;
Optuna's TPESampler has its study in memory. `--quality` searches three functions with so many
trials one after the other, looking at all of them and at a sample, and prints the best losses along
the way.
"""

import argparse
import math
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from common import told

from sweeps.domain.job import Sampling
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers import thinning
from sweeps.domain.samplers.base import Suggestion, SuggestRequest
from sweeps.domain.samplers.bayesian import BayesianSampler
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.samplers.estimator import expression
from sweeps.domain.samplers.known import Known
from sweeps.domain.space import SearchSpace, leaves
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus

LOSS = Objective("loss", Goal.MINIMIZE)
GOALS_MS = {10_000: 50.0, 100_000: 150.0}


def uniform(low: float, high: float) -> dict[str, Any]:
    return {"type": "uniform", "min_value": low, "max_value": high}


def ten(kind: str) -> SearchSpace:
    """Ten parameters: numbers, or of all sorts."""
    sorts = [uniform(-3, 3)] if kind == "uniform" else [
        uniform(-3, 3),
        {"type": "quniform", "min_value": 0, "max_value": 100, "q": 1},
        {"type": "choice", "values": ["a", "b", "c", "d"]},
        {"type": "loguniform", "min_value": -7, "max_value": 0},
    ]  # fmt: skip
    return parse_space({f"p{number}": sorts[number % len(sorts)] for number in range(10)})


def bowl(draw: dict[str, int | float]) -> float:
    return sum((value - 1) ** 2 for value in draw.values())


def done(space: SearchSpace, number: int) -> TrialRecord:
    draw = prior_draw(space, uniforms(len(leaves(space)), 1, number))
    return TrialRecord(number, TrialStatus.COMPLETED, {}, draw, objective=bowl(draw))


def timed(work: Callable[[int], object], asks: int) -> list[float]:
    """Milliseconds of each call but the first, which imports and compiles."""
    took = []
    for turn in range(asks + 1):
        began = time.perf_counter()
        work(turn)
        took.append((time.perf_counter() - began) * 1000)
    return took[1:]


def ours(space: SearchSpace, trials: int) -> Callable[[int], object]:
    known = Known.of(space, (done(space, number) for number in range(trials)))
    sampler, sampling = BayesianSampler(), Sampling("bayesian")

    def ask(turn: int) -> object:
        known.learn(done(space, trials + turn))
        number = trials + turn + 1
        return sampler.suggest(SuggestRequest(space, LOSS, sampling, 7, number, known=known))

    return ask


def by_hyperopt(space: SearchSpace, trials: int) -> Callable[[int], object]:
    from hyperopt import base, tpe

    domain = base.Domain(None, [expression(name, item) for name, item in space])
    rows = [done(space, number) for number in range(trials)]

    def document(row: TrialRecord) -> dict[str, Any]:
        misc = {
            "tid": row.number,
            "cmd": None,
            "idxs": {label: [row.number] for label in row.draw},
            "vals": {label: [value] for label, value in row.draw.items()},
        }
        result = {"status": base.STATUS_OK, "loss": row.objective}
        empty = dict.fromkeys(("spec", "exp_key", "owner", "book_time", "refresh_time"))
        state = {"state": base.JOB_STATE_DONE, "tid": row.number, "version": 0}
        return {**state, "result": result, "misc": misc, **empty}

    def ask(turn: int) -> object:
        known = base.trials_from_docs([document(row) for row in rows], validate=False)
        return tpe.suggest([trials + turn], domain, known, turn, verbose=False)

    return ask


def by_optuna(space: SearchSpace, trials: int) -> Callable[[int], object]:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sorts: dict[str, Any] = {
        "uniform": FloatDistribution(-3, 3),
        "quniform": IntDistribution(0, 100),
        "choice": CategoricalDistribution([0, 1, 2, 3]),
        "loguniform": FloatDistribution(math.exp(-7), 1, log=True),
    }
    asked = {name: sorts[item.kind] for name, item in space}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=7))
    rows = (done(space, number) for number in range(trials))
    study.add_trials(
        optuna.trial.create_trial(params=dict(row.draw), distributions=asked, value=row.objective)
        for row in rows
    )
    return lambda _turn: study.ask(asked)


def speed(trials: int, asks: int, *, alone: bool) -> None:
    """All three, on the same trials."""
    print(f"{trials:,} trials, ten parameters: one suggestion")
    for kind in ("uniform", "mixed"):
        space = ten(kind)
        told(f"studio, {kind}", timed(ours(space, trials), asks), "ms", GOALS_MS.get(trials))
        if alone:
            continue
        told(f"hyperopt.tpe, {kind}", timed(by_hyperopt(space, trials), min(asks, 3)), "ms")
        told(f"optuna TPESampler, {kind}", timed(by_optuna(space, trials), min(asks, 3)), "ms")


# --- Quality --------------------------------------------------------------------------------------


def rosenbrock(p: dict[str, Any]) -> float:
    x = [p[f"x{place}"] for place in range(4)]
    return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))


def ackley(p: dict[str, Any]) -> float:
    x = [value - 1 for value in p.values()]
    root = math.sqrt(sum(value**2 for value in x) / len(x))
    waves = sum(math.cos(2 * math.pi * value) for value in x) / len(x)
    return -20 * math.exp(-0.2 * root) - math.exp(waves) + 20 + math.e


def mixed(p: dict[str, Any]) -> float:
    smooth = (p["x"] - 1) ** 2 + (p["y"] - p["x"]) ** 2 + (math.log(p["lr"]) + 4) ** 2 / 4
    return smooth + ((p["n"] - 17) / 10) ** 2 + (p["c"] != "b") + 0.5 * (p["d"] != p["c"])


PROBLEMS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], float]]] = {
    "rosenbrock, 4 numbers": ({f"x{place}": uniform(-2, 2) for place in range(4)}, rosenbrock),
    "ackley, 6 numbers": ({f"x{place}": uniform(-5, 5) for place in range(6)}, ackley),
    "mixed, 6 parameters": (
        {
            "x": uniform(-3, 3),
            "y": uniform(-3, 3),
            "lr": {"type": "loguniform", "min_value": -7, "max_value": 0},
            "n": {"type": "quniform", "min_value": 0, "max_value": 50, "q": 1},
            "c": {"type": "choice", "values": ["a", "b", "c", "d"]},
            "d": {"type": "choice", "values": ["a", "b", "c", "d"]},
        },
        mixed,
    ),
}


def searched(problem: str, seed: int, trials: int) -> list[float]:
    """The best loss after each quarter of a search."""
    document, loss = PROBLEMS[problem]
    space, sampler, sampling = parse_space(document), BayesianSampler(), Sampling("bayesian")
    known, best, along = Known(space), math.inf, []
    for number in range(trials):
        request = SuggestRequest(space, LOSS, sampling, seed, number, known=known)
        point = sampler.suggest(request)
        assert isinstance(point, Suggestion)
        value = loss(point.params)
        best = min(best, value)
        known.learn(
            TrialRecord(number, TrialStatus.COMPLETED, point.params, point.draw, objective=value)
        )
        if (number + 1) % (trials // 4) == 0:
            along.append(best)
    return along


def quality(trials: int, seeds: int) -> None:
    """With the sample, and with all trials."""
    shipped = thinning.MOST
    print(f"best loss after each quarter of {trials:,} trials; samples of {shipped:,}")
    for problem in PROBLEMS:
        for seed in range(seeds):
            for title, most in (("sample", shipped), ("all", trials)):
                thinning.MOST = most
                along = searched(problem, seed, trials)
                line = "  ".join(f"{value:8.4f}" for value in along)
                print(f"{problem:<24} seed {seed} {title:<8} {line}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--asks", type=int, default=12)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    if given.quality:
        quality(given.trials, given.seeds)
    else:
        speed(given.trials, given.asks, alone=given.alone)
