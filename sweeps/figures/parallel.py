"""Parallel coordinates: a line for every trial, or the density of very many."""

from urllib.parse import unquote

from sweeps.charts.parallel_coordinates import build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.figures.ask import Ask, Drawing


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
        seen_metrics=ask.metrics,
        final=ask.final,
    )
    return info, parallel_figure(info)
