"""Parallel coordinates: a line for every trial, or the density of very many."""

from urllib.parse import unquote

from sweeps.charts.parallel_color import Coloring
from sweeps.charts.parallel_coordinates import build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Choices, Option
from sweeps.queries.selecting import column_of


def _colours(ask: Ask) -> Choices:
    """The objective, then parameters, then the other metrics."""
    others = [name for name in ask.metrics if name != ask.sweep.primary_metric]
    return [
        ("", f"{ask.sweep.primary_metric}, by the goal"),
        *((f"params.{name}", name) for name in ask.board.params),
        *((f"metrics.{name}", name) for name in others),
    ]


OPTIONS = (Option("parallel_color", "Colour", _colours),)


def _coloring(ask: Ask) -> Coloring | None:
    key = OPTIONS[0].chosen(ask)
    if not key:
        return None
    return Coloring(key.partition(".")[2], column_of(ask.sweep, ask.board, key))


def build(ask: Ask) -> Drawing:
    """Of all trials, those of the selection in front; `axes=a,b,c` says which axes stand where."""
    info = build_parallel_info(
        ask.board,
        ask.space,
        ask.objective,
        kept=ask.mask,
        filtered=ask.selection.is_filtered,
        picked=ask.selection.picked,
        order=[unquote(name) for name in ask.options.get("axes", "").split(",") if name],
        color=_coloring(ask),
        seen_metrics=ask.metrics,
        final=ask.final,
    )
    return info, parallel_figure(info)
