"""Sweeps that nobody ran: a search space, what trials would have logged, and how they ended.

For demonstrations and benchmarks. Everything is a function of the seed and the trial's number.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeps.domain.limits import MAX_CONCURRENT_TRIALS, MAX_TOTAL_TRIALS
from sweeps.domain.objective import Goal
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import stable_hash
from sweeps.domain.space import ParamValue
from sweeps.domain.verdict import Ending, Outcome

# What the sweep is judged by.
PRIMARY = {Goal.MINIMIZE: "val_loss", Goal.MAXIMIZE: "val_accuracy"}
METRIC = PRIMARY[Goal.MINIMIZE]
_OTHERS = ("train_loss", "val_accuracy", "f1", "grad_norm", "throughput")
# How a metric follows from the loss: a share of it, and what is added.
_SHAPES = {METRIC: (1.0, 0.0), "val_accuracy": (-0.6, 1.0), "f1": (-0.5, 1.0)}
# Names, distributions, and the best place of each between 0 and 1.
_PARAMETERS: tuple[tuple[str, dict[str, object], float], ...] = (
    ("learning_rate", {"type": "loguniform", "min_value": -9, "max_value": -1}, 0.55),
    ("dropout", {"type": "uniform", "min_value": 0.0, "max_value": 0.6}, 0.3),
    ("batch_size", {"type": "choice", "values": [16, 32, 64, 128]}, 0.67),
    ("optimizer", {"type": "choice", "values": ["sgd", "adam", "adamw"]}, 1.0),
    ("layers", {"type": "randint", "upper": 8}, 0.5),
    ("width", {"type": "quniform", "min_value": 32, "max_value": 512, "q": 32}, 0.7),
    ("momentum", {"type": "uniform", "min_value": 0.5, "max_value": 0.99}, 0.8),
    ("weight_decay", {"type": "loguniform", "min_value": -12, "max_value": -2}, 0.4),
)
# Parameters that are there only with their own choice, one with a single value, and a long name.
_NESTED: dict[str, object] = {
    "type": "choice",
    "values": [
        {"name": "linear", "penalty": {"type": "loguniform", "min_value": -9, "max_value": 0}},
        {"name": "forest", "trees": {"type": "randint", "upper": 500},
         "depth": {"type": "randint", "upper": 12}},
        {"name": "boosting", "depth": {"type": "randint", "upper": 12},
         "shrinkage": {"type": "loguniform", "min_value": -7, "max_value": 0}},
    ],
}  # fmt: skip
_CONSTANT: dict[str, object] = {"type": "choice", "values": ["cosine"]}
_LONG: dict[str, object] = {
    "type": "choice",
    "values": ["a_pretrained_encoder_with_frozen_embeddings", "the_same_but_all_layers_are_trained",
               "from_random_weights_without_any_pretraining"],
}  # fmt: skip
_LONG_NAME = "name_of_the_checkpoint_that_training_is_continued_from"
_FAILURES = (
    Outcome(Ending.EXIT, 1, last_words="torch.OutOfMemoryError: CUDA out of memory."),
    Outcome(Ending.EXIT, 1, last_words="ValueError: Input contains NaN."),
    Outcome(Ending.EXIT, 2),
)


@dataclass(frozen=True, slots=True)
class MadeUp:
    """How much there is to be: the last `running` trials run, `failed` of the others failed.

    Each trial logs `points` values of each of `metrics` metrics. `diverged` of the others log no
    finite loss any more, every second one from its first value on; `nested` adds a choice with
    parameters of its own; `constant` one with a single value; `long_names` one of long words.
    The loss spans so many `decades`, 0 for one of common size. Raises InvalidInput with every
    number that cannot be.
    """

    trials: int
    params: int = 4
    metrics: int = 2
    points: int = 10
    running: int = 0
    failed: int = 0
    seed: int = 0
    diverged: int = 0
    decades: int = 0
    goal: Goal = Goal.MINIMIZE
    nested: bool = False
    constant: bool = False
    long_names: bool = False

    def __post_init__(self) -> None:
        ended = self.trials - self.running
        found = [
            _range("trials", self.trials, 1, MAX_TOTAL_TRIALS),
            _range("params", self.params, 1, 100),
            _range("metrics", self.metrics, 1, 100),
            _range("points", self.points, 1, 10_000),
            _range("running", self.running, 0, min(max(self.trials, 0), MAX_CONCURRENT_TRIALS)),
            _range("failed", self.failed, 0, max(ended, 0)),
            _range("diverged", self.diverged, 0, max(ended - max(self.failed, 0), 0)),
            _range("decades", self.decades, 0, 12),
        ]
        if problems := [problem for problem in found if problem]:
            raise InvalidInput(problems)

    @property
    def primary(self) -> str:
        """The metric that trials are judged by."""
        return PRIMARY[self.goal]

    @property
    def metric_names(self) -> list[str]:
        """The primary metric and the others."""
        more = (f"metric_{number}" for number in range(len(_OTHERS) + 1, self.metrics))
        known = [METRIC, *_OTHERS, *more]
        return [self.primary, *(name for name in known if name != self.primary)][: self.metrics]

    def space(self) -> dict[str, dict[str, object]]:
        """The search space as job files write it."""
        return {name: document for name, document, _ in self._parameters()}

    def _parameters(self) -> list[tuple[str, dict[str, object], float]]:
        count = len(_PARAMETERS)
        found = []
        for index in range(self.params):
            name, document, best = _PARAMETERS[index % count]
            found.append((f"{name}_{index // count + 1}" if index >= count else name,
                          document, best))  # fmt: skip
        found += [("model", _NESTED, 0.5)] * self.nested
        found += [("schedule", _CONSTANT, 0.0)] * self.constant
        return found + [(_LONG_NAME, _LONG, 0.0)] * self.long_names

    def _rng(self, *of: int) -> random.Random:
        return random.Random(stable_hash(self.seed, *of))  # noqa: S311 - nothing secret

    def failures(self) -> Mapping[int, Outcome]:
        """By number: how trials failed."""
        rng = self._rng(1)
        numbers = rng.sample(range(self.trials - self.running), self.failed)
        return {number: rng.choices(_FAILURES, (6, 3, 1))[0] for number in numbers}

    def divergence(self) -> Mapping[int, float]:
        """By number: after which share of its values a trial logs no finite loss any more."""
        failed = self.failures()
        left = [n for n in range(self.trials - self.running) if n not in failed]
        numbers = self._rng(4).sample(left, self.diverged)
        return {number: 0.5 * (index % 2) for index, number in enumerate(numbers)}

    def duration_s(self, number: int) -> float:
        """How long a trial takes."""
        return self._rng(2, number).uniform(30, 120)

    def curves(
        self, number: int, params: Mapping[str, ParamValue], finite: float = 1.0
    ) -> dict[str, list[float]]:
        """What a trial with these parameters logs, by metric: finite up to the share `finite`."""
        rng = self._rng(3, number)
        end = 0.05 + self._distance(params) + abs(rng.gauss(0, 0.02))
        loss = [self._at(point, end) + rng.gauss(0, 0.005) for point in range(self.points)]
        if self.decades:
            loss = [10 ** (self.decades * (value - 1)) for value in loss]
        broken = round(self.points * finite)
        loss[broken:] = [math.nan if n % 3 else math.inf for n in range(self.points - broken)]
        return {
            name: self._metric(name, index, loss, rng)
            for index, name in enumerate(self.metric_names)
        }

    def _metric(
        self, name: str, index: int, loss: Sequence[float], rng: random.Random
    ) -> list[float]:
        """A metric that follows the loss; the primary one without any noise of its own."""
        factor, base = _SHAPES.get(name, (0.8 + 0.1 * index, 0.0))
        noise = 0.0 if name in (METRIC, self.primary) else 0.002
        return [base + value * factor + (rng.gauss(0, noise) if noise else 0.0) for value in loss]

    def _at(self, point: int, end: float) -> float:
        """A loss on its way from 1.2 down to its end."""
        return end + (1.2 - end) * math.exp(-5 * (point + 1) / self.points)

    def _distance(self, params: Mapping[str, ParamValue]) -> float:
        """0 at the best point; what comes first in the space counts most."""
        parts = self._parameters()
        weights = [1 / (index + 1) for index in range(len(parts))]
        squares = [
            weight * (_place(document, params[name]) - best) ** 2
            for weight, (name, document, best) in zip(weights, parts, strict=True)
        ]
        return sum(squares) / sum(weights)


def _range(name: str, value: int, least: int, most: int) -> Problem | None:
    if least <= value <= most:
        return None
    return Problem(name, f"Must be from {least} to {most:,}, but got {value:,}.")


def _place(document: Mapping[str, object], value: ParamValue) -> float:
    """Where a value lies in its distribution's range, from 0 to 1."""
    if document["type"] == "choice":
        values = document["values"]
        assert isinstance(values, list)
        names = [item["name"] if isinstance(item, dict) else item for item in values]
        own = value["name"] if isinstance(value, dict) else value
        return names.index(own) / max(len(names) - 1, 1)
    assert isinstance(value, int | float)
    if document["type"] == "randint":
        return value / (float(str(document["upper"])) - 1)
    low, high = float(str(document["min_value"])), float(str(document["max_value"]))
    at = math.log(value) if document["type"] == "loguniform" else value
    return min(max((at - low) / (high - low), 0), 1)
