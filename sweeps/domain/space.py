"""Search spaces: ten distributions and nested choices, as frozen values.

Formulas are Hyperopt's `hp.*` one for one, which are also Azure ML's (sweep-job YAML
reference, "search space"). Bounds of the log distributions are logarithms.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, TypeAlias

Scalar: TypeAlias = str | int | float | bool
# What a script receives for one parameter: a scalar, or a dict for the taken branch of a choice.
ParamValue: TypeAlias = "Scalar | dict[str, ParamValue]"

_NORMAL = NormalDist()
# The nearest neighbours of 0 and 1 in (0, 1): they keep the normal quantiles finite.
_U_MIN, _U_MAX = 2.0**-53, 1.0 - 2.0**-53


def quantise(value: float, q: float) -> int | float:
    """round(value / q) * q; an integer when `q` is integral, without float dust otherwise."""
    steps = value / q
    if not math.isfinite(steps):
        return value  # so many steps that a float holds none of them apart
    stepped = round(steps) * q
    return int(stepped) if float(q).is_integer() else float(f"{stepped:.15g}")


def _normal(mu: float, sigma: float, u: float) -> float:
    return mu + sigma * _NORMAL.inv_cdf(min(max(u, _U_MIN), _U_MAX))


@dataclass(frozen=True, slots=True)
class Uniform:
    """U(min_value, max_value)."""

    kind: ClassVar[str] = "uniform"
    min_value: float
    max_value: float

    def quantile(self, u: float, base: float = math.e) -> float:
        """The value below which a share `u` in [0, 1] of draws fall."""
        return self.min_value + (self.max_value - self.min_value) * u


@dataclass(frozen=True, slots=True)
class QUniform:
    """round(U(min_value, max_value) / q) * q."""

    kind: ClassVar[str] = "quniform"
    min_value: float
    max_value: float
    q: float

    def quantile(self, u: float, base: float = math.e) -> int | float:
        """See `Uniform.quantile`."""
        return quantise(self.min_value + (self.max_value - self.min_value) * u, self.q)


@dataclass(frozen=True, slots=True)
class LogUniform:
    """exp(U(min_value, max_value)): the bounds are logarithms."""

    kind: ClassVar[str] = "loguniform"
    min_value: float
    max_value: float

    def quantile(self, u: float, base: float = math.e) -> float:
        """See `Uniform.quantile`; `base` is the base of the logarithm."""
        return float(base ** (self.min_value + (self.max_value - self.min_value) * u))


@dataclass(frozen=True, slots=True)
class QLogUniform:
    """round(exp(U(min_value, max_value)) / q) * q: the bounds are logarithms."""

    kind: ClassVar[str] = "qloguniform"
    min_value: float
    max_value: float
    q: float

    def quantile(self, u: float, base: float = math.e) -> int | float:
        """See `LogUniform.quantile`."""
        return quantise(base ** (self.min_value + (self.max_value - self.min_value) * u), self.q)


@dataclass(frozen=True, slots=True)
class Normal:
    """N(mu, sigma)."""

    kind: ClassVar[str] = "normal"
    mu: float
    sigma: float

    def quantile(self, u: float, base: float = math.e) -> float:
        """See `Uniform.quantile`."""
        return _normal(self.mu, self.sigma, u)


@dataclass(frozen=True, slots=True)
class QNormal:
    """round(N(mu, sigma) / q) * q."""

    kind: ClassVar[str] = "qnormal"
    mu: float
    sigma: float
    q: float

    def quantile(self, u: float, base: float = math.e) -> int | float:
        """See `Uniform.quantile`."""
        return quantise(_normal(self.mu, self.sigma, u), self.q)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """exp(N(mu, sigma))."""

    kind: ClassVar[str] = "lognormal"
    mu: float
    sigma: float

    def quantile(self, u: float, base: float = math.e) -> float:
        """See `LogUniform.quantile`."""
        return float(base ** _normal(self.mu, self.sigma, u))


@dataclass(frozen=True, slots=True)
class QLogNormal:
    """round(exp(N(mu, sigma)) / q) * q."""

    kind: ClassVar[str] = "qlognormal"
    mu: float
    sigma: float
    q: float

    def quantile(self, u: float, base: float = math.e) -> int | float:
        """See `LogUniform.quantile`."""
        return quantise(base ** _normal(self.mu, self.sigma, u), self.q)


@dataclass(frozen=True, slots=True)
class Randint:
    """A whole number in [0, upper)."""

    kind: ClassVar[str] = "randint"
    upper: int

    def quantile(self, u: float, base: float = math.e) -> int:
        """See `Uniform.quantile`."""
        return min(int(u * self.upper), self.upper - 1)


@dataclass(frozen=True, slots=True)
class Branch:
    """A dict among a choice's values: constants and distributions that hold when it is taken."""

    items: tuple[tuple[str, "Scalar | Distribution"], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `values`, each as likely; a `Branch` opens a conditional space."""

    kind: ClassVar[str] = "choice"
    values: tuple[Scalar | Branch, ...]

    def index(self, u: float) -> int:
        """Which value a uniform draw `u` in [0, 1] picks."""
        return min(int(u * len(self.values)), len(self.values) - 1)


Numeric: TypeAlias = (
    Uniform
    | QUniform
    | LogUniform
    | QLogUniform
    | Normal
    | QNormal
    | LogNormal
    | QLogNormal
    | Randint
)
Distribution: TypeAlias = Numeric | Choice

KINDS: Mapping[str, type[Distribution]] = {
    cls.kind: cls
    for cls in (
        Choice,
        Randint,
        Uniform,
        QUniform,
        LogUniform,
        QLogUniform,
        Normal,
        QNormal,
        LogNormal,
        QLogNormal,
    )
}
LOG_KINDS = frozenset({"loguniform", "qloguniform", "lognormal", "qlognormal"})


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Named distributions, in the order in which they were written."""

    parameters: tuple[tuple[str, Distribution], ...]

    def __iter__(self) -> Iterator[tuple[str, Distribution]]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def names(self) -> tuple[str, ...]:
        """Top-level parameter names."""
        return tuple(name for name, _ in self.parameters)


# --- Leaves, draws and values -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """One distribution of a space, wherever it stands.

    `label` is unique in the space and names it in draws ("model[1].c" = key c of the second value
    of choice "model"); `column` is the dotted name under which values are shown and logged
    ("model.c"), which two branches may share. `condition` is the (choice label, index) pairs under
    which it is drawn.
    """

    label: str
    column: str
    distribution: Distribution
    condition: tuple[tuple[str, int], ...] = ()


def leaves(space: SearchSpace) -> list[Leaf]:
    """Every distribution of the space, a choice before what hangs on it."""
    found: list[Leaf] = []
    for name, distribution in space:
        _collect(name, name, distribution, (), found)
    return found


def _collect(
    label: str,
    column: str,
    distribution: Distribution,
    condition: tuple[tuple[str, int], ...],
    found: list[Leaf],
) -> None:
    found.append(Leaf(label, column, distribution, condition))
    if not isinstance(distribution, Choice):
        return
    for index, value in enumerate(distribution.values):
        if isinstance(value, Branch):
            for key, item in value.items:
                if not isinstance(item, str | int | float | bool):
                    inner = (*condition, (label, index))
                    _collect(f"{label}[{index}].{key}", f"{column}.{key}", item, inner, found)


# A draw says what was sampled: by leaf label the index for a choice, the value for the rest.
Draw: TypeAlias = Mapping[str, int | float]


def realise(space: SearchSpace, draw: Draw) -> dict[str, ParamValue]:
    """The typed, nested parameters of a draw: what the script receives.

    Raises KeyError if the draw lacks an active leaf.
    """
    return {name: _realise(name, distribution, draw) for name, distribution in space}


def _realise(label: str, distribution: Distribution, draw: Draw) -> ParamValue:
    raw = draw[label]
    if not isinstance(distribution, Choice):
        return _typed(distribution, raw)
    index = int(raw)
    value = distribution.values[index]
    if not isinstance(value, Branch):
        return value
    return {
        key: item
        if isinstance(item, str | int | float | bool)
        else _realise(f"{label}[{index}].{key}", item, draw)
        for key, item in value.items
    }


def _typed(distribution: Numeric, raw: int | float) -> int | float:
    """A drawn number as the script gets it: integers for randint and integral steps."""
    if isinstance(distribution, Randint):
        return int(raw)
    q = getattr(distribution, "q", None)
    return float(raw) if q is None else quantise(raw, q)


def flatten(params: Mapping[str, ParamValue]) -> dict[str, Scalar]:
    """Nested parameters under dotted names ("model.c"), as columns and MLflow show them."""
    flat: dict[str, Scalar] = {}
    for name, value in params.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": item for key, item in flatten(value).items()})
        else:
            flat[name] = value
    return flat


def columns(space: SearchSpace) -> list[str]:
    """Every dotted name that `flatten` can give for this space, in reading order, each once."""
    names: dict[str, None] = {}
    for name, distribution in space:
        _columns(name, distribution, names)
    return list(names)


def _columns(column: str, distribution: Distribution, names: dict[str, None]) -> None:
    if not isinstance(distribution, Choice):
        names[column] = None
        return
    if any(not isinstance(value, Branch) for value in distribution.values):
        names[column] = None
    for value in distribution.values:
        for key, item in value.items if isinstance(value, Branch) else ():
            if isinstance(item, str | int | float | bool):
                names[f"{column}.{key}"] = None
            else:
                _columns(f"{column}.{key}", item, names)


def grid_size(space: SearchSpace) -> int | None:
    """How many points the space has; None when a parameter is not a choice (or a randint)."""
    size = 1
    for _, distribution in space:
        points = _points(distribution)
        if points is None:
            return None
        size *= points
    return size


def _points(distribution: Distribution) -> int | None:
    if isinstance(distribution, Randint):
        return distribution.upper
    if not isinstance(distribution, Choice):
        return None
    total = 0
    for value in distribution.values:
        inner = 1
        for _, item in value.items if isinstance(value, Branch) else ():
            points = 1 if isinstance(item, str | int | float | bool) else _points(item)
            if points is None:
                return None
            inner *= points
        total += inner
    return total
