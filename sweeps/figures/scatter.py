"""Scatter plots of any two or three values."""

from sweeps.charts.colouring import colour_by
from sweeps.charts.scatter import build_scatter_info, scatter_figure
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Option
from sweeps.figures.values import by_merit, choices, drawn_rows, parameters, trials_of, values_of


def _param(place: int, otherwise: str):  # type: ignore[no-untyped-def]
    """The parameter at `place` of the search space, if there is one."""

    def default(ask: Ask) -> str:
        found = parameters(ask)
        return found[place][0] if place < len(found) else otherwise

    return default


X = Option("scatter.x", "x", choices, _param(0, "number"))
Y = Option("scatter.y", "y", choices, _param(1, "objective"))
COLOUR = Option("scatter.color", "Colour", choices, lambda ask: "objective")
OPTIONS = (X, Y, COLOUR)
SPACE_OPTIONS = (
    Option("scatter3d.x", "x", choices, _param(0, "number")),
    Option("scatter3d.y", "y", choices, _param(1, "duration_s")),
    Option("scatter3d.z", "z", choices, lambda ask: "objective"),
    Option("scatter3d.color", "Colour", choices, lambda ask: "objective"),
)


def build(ask: Ask) -> Drawing:
    """In the plane."""
    return _drawing(ask, *(option.chosen(ask) for option in OPTIONS))


def build_in_space(ask: Ask) -> Drawing:
    """In space."""
    return _drawing(ask, *(option.chosen(ask) for option in SPACE_OPTIONS))


def _drawing(ask: Ask, *keys: str) -> Drawing:
    rows = drawn_rows(ask)
    *axes, colour = (values_of(ask, key, rows) for key in keys)
    info = build_scatter_info(
        trials_of(ask, rows),
        tuple(axes),
        colour_by(colour, objective=colour.key == "objective", minimize=ask.minimize),
        by_merit(ask, rows),
        minimize=ask.minimize,
    )
    return info, scatter_figure(info)
