"""The objective against each parameter, and over a pair of them."""

from sweeps.charts.colouring import colour_by
from sweeps.charts.contour import build_contour_info, contour_figure
from sweeps.charts.slices import build_slice_info, slice_figure
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Choices, Option, fixed
from sweeps.figures.values import by_merit, drawn_rows, parameters, trials_of, values_of

COLOUR = Option("slice.color", "Colour", fixed(("number", "trial number"), ("elapsed", "end time")))
OPTIONS = (COLOUR,)


def _pair(ask: Ask) -> Choices:
    return [*parameters(ask), ("number", "trial number")]


def _second(ask: Ask) -> str:
    found = _pair(ask)
    return found[min(1, len(found) - 1)][0]


CONTOUR_OPTIONS = (
    Option("contour.x", "x", _pair),
    Option("contour.y", "y", _pair, _second),
)


def build(ask: Ask) -> Drawing:
    """A small chart for each parameter."""
    rows = drawn_rows(ask)
    info = build_slice_info(
        trials_of(ask, rows),
        values_of(ask, "objective", rows),
        tuple(values_of(ask, key, rows) for key, _ in parameters(ask)),
        colour_by(values_of(ask, COLOUR.chosen(ask), rows), objective=False, minimize=False),
        final=ask.final,
    )
    return info, slice_figure(info)


def build_contour(ask: Ask) -> Drawing:
    """A map over a pair."""
    rows = drawn_rows(ask)
    x, y = (values_of(ask, option.chosen(ask), rows) for option in CONTOUR_OPTIONS)
    objective = values_of(ask, "objective", rows)
    info = build_contour_info(
        trials_of(ask, rows),
        x,
        y,
        objective,
        by_merit(ask, rows),
        minimize=ask.minimize,
        final=ask.final,
    )
    return info, contour_figure(info)
