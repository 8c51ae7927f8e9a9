"""Where a trial's parameters stand within their ranges: a dot on a track, or one segment lit."""

from collections.abc import Mapping
from typing import NamedTuple

from sweeps.charts.axes import AxisInfo, space_axes
from sweeps.charts.text import param_text
from sweeps.domain.space import ParamValue, Scalar, SearchSpace, flatten

# Within this share of an end a value counts as sitting on it.
_EDGE = 0.005


class Place(NamedTuple):
    """One parameter of a trial.

    `fraction` is its place from 0 to 1 on a track from `low` to `high` (texts), None for a choice
    or an inactive parameter; `segments` are the texts of a choice, `taken` the index of its own.
    `edge` is "lower" or "upper" when the value sits on that bound.
    """

    name: str
    text: str
    kind: str
    active: bool
    fraction: float | None = None
    low: str = ""
    high: str = ""
    segments: tuple[str, ...] = ()
    taken: int | None = None
    edge: str = ""

    @property
    def percent(self) -> float | None:
        """`fraction` as style sheets take it."""
        return None if self.fraction is None else round(100 * self.fraction, 2)


def place_params(space: SearchSpace, params: Mapping[str, ParamValue]) -> tuple[Place, ...]:
    """Every column of `space` with the place of the trial's value in it."""
    flat = flatten(params)
    return tuple(_place(axis, flat.get(axis.name)) for axis in space_axes(space, [flat]))


def _place(axis: AxisInfo, value: Scalar | None) -> Place:
    kind = "choice" if axis.scale.kind == "category" and value is not None else axis.kind
    place = Place(axis.name, param_text(value), kind, value is not None)
    if value is None:
        return place
    if axis.scale.kind == "category":
        categories = axis.scale.categories
        return place._replace(segments=categories, taken=categories.index(param_text(value)))
    fraction = axis.scale.position(value)
    if fraction is None:
        return place
    ticks = axis.scale.ticks()
    edge = "lower" if fraction <= _EDGE else "upper" if fraction >= 1 - _EDGE else ""
    return place._replace(
        fraction=round(fraction, 4), low=ticks[0].text, high=ticks[-1].text, edge=edge
    )
