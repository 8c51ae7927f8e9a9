"""Bayesian search: Hyperopt's tree-structured Parzen estimator (Bergstra et al., NIPS 2011).

Hyperopt keeps no state of ours: its trials are made anew from the history at each ask. Measured
choices: gamma 0.5 instead of 0.25; unfinished and failed trials take part without a loss, which
Hyperopt reads as worst, so they repel; the start-up phase counts trials with a loss only.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest
from sweeps.domain.samplers.draws import (
    bounds,
    draw_of,
    is_active,
    prior_draw,
    stable_hash,
    uniforms,
)
from sweeps.domain.samplers.points import point, size_of
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    Draw,
    Randint,
    SearchSpace,
    leaves,
    quantise,
)
from sweeps.domain.states import TrialStatus

GAMMA = 0.5
STARTUP_TRIALS = 20
REDRAWS = 10
PRIOR_DRAWS = 100
# Hyperopt keeps a count for each value of a randint; above this it is searched as a number.
MAX_CATEGORIES = 1_000
AZURE_KINDS = ("choice", "uniform", "quniform")
# Their best value is a result, however they ended.
_MEASURED = {TrialStatus.COMPLETED, TrialStatus.EARLY_TERMINATED, TrialStatus.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Row:
    """A trial as Hyperopt sees it; `loss` None = unknown, taken as worst."""

    number: int
    draw: Draw
    loss: float | None
    pending: bool


class BayesianSampler:
    """See the module."""

    def suggest(self, request: SuggestRequest) -> Suggestion | Exhausted:
        """A point that no trial has tried yet, where the space still has one."""
        space, number = request.space, request.number
        others = [trial for trial in request.history if trial.number != number]
        tried = {_key(draw) for trial in others if (draw := _draw(space, trial)) is not None}
        size = size_of(space)
        if size is not None and len(tried) >= size:
            return Exhausted(f"all {size:,} points of the search space have been tried")
        rows = rows_of(space, others, request.objective)
        for turn in range(1 + REDRAWS):
            draw = tpe_draw(space, rows, number, stable_hash(request.seed, number, turn))
            if draw is not None and _key(draw) not in tried:
                return Suggestion.of(space, draw)
        return Suggestion.of(space, _untried(space, tried, size, (request.seed, number)))

    def check(self, space: SearchSpace, sampling: Sampling) -> list[Problem]:
        """Nothing: all distributions can be searched."""
        return []

    def advise(self, space: SearchSpace, limits: Limits, known: int = 0) -> list[str]:
        """Too few trials, too many at a time, and what Azure ML would refuse."""
        notes, count, trials = [], len(leaves(space)), limits.max_total_trials
        if trials + known < 20 * count:
            earlier = f", after {known:,} earlier trial{'s' if known > 1 else ''}" if known else ""
            notes.append(
                f"Bayesian sampling works best with 20 trials or more per parameter: "
                f"{20 * count:,} for {count:,}, but max_total_trials is {trials:,}{earlier}."
            )
        if limits.max_concurrent_trials > max(trials // 4, 1):
            notes.append(
                "Bayesian sampling learns from finished trials: run at most "
                f"{max(trials // 4, 1):,} of {trials:,} at a time, but max_concurrent_trials is "
                f"{limits.max_concurrent_trials:,}."
            )
        foreign = [leaf for leaf in leaves(space) if leaf.distribution.kind not in AZURE_KINDS]
        if foreign:
            names = ", ".join(f"{leaf.column} ({leaf.distribution.kind})" for leaf in foreign)
            notes.append(
                "Azure ML's Bayesian sampling takes choice, uniform and quniform only; "
                f"it would refuse {names}."
            )
        return notes


def rows_of(space: SearchSpace, history: Iterable[TrialRecord], objective: Objective) -> list[Row]:
    """What Hyperopt learns from, by trial number.

    Left out: cancelled trials, and points that people picked outside the space.
    """
    rows = []
    for trial in sorted(history, key=lambda trial: trial.number):
        draw = _draw(space, trial)
        if draw is None or trial.status is TrialStatus.CANCELED:
            continue
        value = trial.objective if trial.status in _MEASURED else None
        known = value is not None and math.isfinite(value)
        loss = objective.loss(value) if known and value is not None else None
        rows.append(Row(trial.number, draw, loss, not trial.status.is_final))
    return rows


def tpe_draw(
    space: SearchSpace, rows: list[Row], number: int, seed: int
) -> dict[str, int | float] | None:
    """One suggestion by Hyperopt for trial `number`; None if it is not a point of the space."""
    import numpy as np
    from hyperopt import tpe
    from hyperopt.base import Domain

    domain = Domain(None, [_expression(name, item) for name, item in space])
    without_loss = sum(row.loss is None for row in rows)
    # Wide spaces overflow inside Hyperopt; `_checked` refuses what comes of it.
    with np.errstate(all="ignore"):
        documents = tpe.suggest(
            [number],
            domain,
            _trials(space, rows),
            seed % 2**31,
            n_startup_jobs=STARTUP_TRIALS + without_loss,
            gamma=GAMMA,
            verbose=False,
        )
    return _checked(space, documents[0]["misc"]["vals"])


def _expression(label: str, distribution: Distribution) -> Any:
    """The distribution in Hyperopt's words; constants do not matter to it."""
    from hyperopt import hp

    match distribution:
        case Choice(values):
            return hp.choice(
                label,
                [
                    _branch(f"{label}[{index}]", value) if isinstance(value, Branch) else index
                    for index, value in enumerate(values)
                ],
            )
        case Randint(upper) if upper > MAX_CATEGORIES:
            return hp.quniform(label, -0.5, upper - 0.5, 1)
        case _:
            numbers = [getattr(distribution, field.name) for field in fields(distribution)]
            return getattr(hp, distribution.kind)(label, *numbers)


def _branch(prefix: str, branch: Branch) -> list[Any]:
    return [
        _expression(f"{prefix}.{key}", item)
        for key, item in branch.items
        if not isinstance(item, str | int | float | bool)
    ]


def _trials(space: SearchSpace, rows: list[Row]) -> Any:
    """Hyperopt's `Trials` with these rows."""
    from hyperopt import base

    labels = [leaf.label for leaf in leaves(space)]
    documents = []
    for row in rows:
        if row.loss is not None:
            result: dict[str, object] = {"status": base.STATUS_OK, "loss": row.loss}
        else:
            result = {"status": base.STATUS_NEW if row.pending else base.STATUS_FAIL}
        documents.append(
            {
                # Hyperopt drops rows in state ERROR: a failed one must count as worst.
                "state": base.JOB_STATE_NEW if row.pending else base.JOB_STATE_DONE,
                "tid": row.number,
                "spec": None,
                "result": result,
                "misc": {
                    "tid": row.number,
                    "cmd": None,
                    "idxs": {n: [row.number] if n in row.draw else [] for n in labels},
                    "vals": {n: [row.draw[n]] if n in row.draw else [] for n in labels},
                },
                "exp_key": None,
                "owner": None,
                "version": 0,
                "book_time": None,
                "refresh_time": None,
            }
        )
    return base.trials_from_docs(documents, validate=False)


def _checked(space: SearchSpace, values: dict[str, list[Any]]) -> dict[str, int | float] | None:
    """Hyperopt's numpy values as a draw of Python numbers."""
    draw: dict[str, int | float] = {}
    for leaf in leaves(space):
        if not is_active(leaf, draw):
            continue
        if not values[leaf.label] or not math.isfinite(raw := float(values[leaf.label][0])):
            return None
        draw[leaf.label] = _number(leaf.distribution, raw)
    return draw


def _number(distribution: Distribution, raw: float) -> int | float:
    if isinstance(distribution, Choice):
        return int(raw)
    low, high = bounds(distribution)
    q = 1 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    value = raw if q is None else quantise(raw, q)
    return min(max(value, low), high)


def _draw(space: SearchSpace, trial: TrialRecord) -> Draw | None:
    return trial.draw or draw_of(space, trial.params)


def _key(draw: Draw) -> frozenset[tuple[str, int | float]]:
    return frozenset(draw.items())


def _untried(
    space: SearchSpace,
    tried: Collection[frozenset[tuple[str, int | float]]],
    size: int | None,
    seeds: tuple[int, int],
) -> dict[str, int | float]:
    """A point drawn without regard to results: for when the estimator keeps repeating itself."""
    dimensions = len(leaves(space))
    draw: dict[str, int | float] = {}
    for turn in range(PRIOR_DRAWS):
        draw = prior_draw(space, uniforms(dimensions, *seeds, REDRAWS + 1 + turn))
        if _key(draw) not in tried:
            return draw
    if size is None:
        return draw
    start = stable_hash(*seeds)
    for offset in range(len(tried) + 1):
        draw = point(space, (start + offset) % size)
        if _key(draw) not in tried:
            break
    return draw
