"""The ten distributions of a search space, called as those of `azure.ai.ml.sweep` are.

What they mean: user guide, "Search space". Ranges are checked by the studio, which tells every
problem at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar


class Distribution:
    """What a parameter is drawn from."""

    type: ClassVar[str]

    def document(self) -> dict[str, Any]:
        """The distribution as job files write it."""
        return {"type": self.type, **{f.name: getattr(self, f.name) for f in fields(self)}}  # type: ignore[arg-type]


@dataclass
class Choice(Distribution):
    """One of the values. A dict among them holds constants and further distributions."""

    type = "choice"
    values: Iterable[Any]

    def document(self) -> dict[str, Any]:
        """See `Distribution.document`."""
        return {"type": self.type, "values": [_value(value) for value in self.values]}


def _value(value: Any) -> Any:
    if isinstance(value, Distribution):
        return value.document()
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    return value


@dataclass
class Randint(Distribution):
    """A whole number from 0 to upper - 1."""

    type = "randint"
    upper: int


@dataclass
class Uniform(Distribution):
    """Between the bounds."""

    type = "uniform"
    min_value: float
    max_value: float


@dataclass
class QUniform(Distribution):
    """Between the bounds, in steps of q."""

    type = "quniform"
    min_value: float
    max_value: float
    q: float


@dataclass
class LogUniform(Distribution):
    """e to a value between the bounds: the bounds are logarithms, as Azure's are."""

    type = "loguniform"
    min_value: float
    max_value: float


@dataclass
class QLogUniform(Distribution):
    """`LogUniform` in steps of q."""

    type = "qloguniform"
    min_value: float
    max_value: float
    q: float


@dataclass
class Normal(Distribution):
    """mu ± sigma."""

    type = "normal"
    mu: float
    sigma: float


@dataclass
class QNormal(Distribution):
    """`Normal` in steps of q."""

    type = "qnormal"
    mu: float
    sigma: float
    q: float


@dataclass
class LogNormal(Distribution):
    """e to a normal value."""

    type = "lognormal"
    mu: float
    sigma: float


@dataclass
class QLogNormal(Distribution):
    """`LogNormal` in steps of q."""

    type = "qlognormal"
    mu: float
    sigma: float
    q: float
