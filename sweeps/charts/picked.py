"""Picked trials among the dots of a chart."""

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from sweeps.charts.marks import trial_color


class Place(Protocol):
    """A trial's number, where it stands across, and its value if it has one."""

    @property
    def number(self) -> int: ...
    @property
    def x(self) -> float: ...
    @property
    def objective(self) -> float | None: ...


def picked_dots(places: Iterable[Place], picked: Collection[int]) -> list[dict[str, Any]]:
    """Traces of those picked: in their own colour with their number, above the other dots.

    Trials without a value stand at 0 of the second y axis.
    """
    if not picked:
        return []
    return [
        {
            "type": "scatter",
            "uid": f"picked-{place.number}",
            "mode": "markers+text",
            "x": [place.x],
            "y": [0 if place.objective is None else place.objective],
            "yaxis": "y2" if place.objective is None else "y",
            "customdata": [place.number],
            "text": [f"#{place.number}"],
            "textposition": "top center",
            "textfont": {"size": 11, "color": "@text"},
            "marker": {
                "color": trial_color(place.number),
                "size": 11,
                "line": {"width": 2, "color": "@surface"},
            },
            "cliponaxis": False,
        }
        for place in places
        if place.number in picked
    ]
