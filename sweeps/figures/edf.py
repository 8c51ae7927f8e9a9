"""Empirical distribution of the objective, of this sweep and of others like it."""

from sweeps.charts.edf import Sample, build_edf_info, edf_figure
from sweeps.figures.ask import Ask, Drawing
from sweeps.models import Sweep
from sweeps.queries.siblings import named, values

# More curves than this are not told apart.
MOST_OTHERS = 8


def build(ask: Ask) -> Drawing:
    """This sweep's selected trials, and all trials of the sweeps that `with` names."""
    board = ask.board
    samples = [Sample(str(ask.sweep), board.objective[board.can_win & ask.mask], own=True)]
    samples += [Sample(_title(other), values(other)) for other in _others(ask)]
    info = build_edf_info(samples, ask.objective, selected=not ask.mask.all(), final=ask.final)
    return info, edf_figure(info)


def stamp(ask: Ask) -> str:
    """Changes when one of the other sweeps does."""
    return " ".join(f"{other.pk}.{other.revision}" for other in _others(ask))


def _others(ask: Ask) -> list[Sweep]:
    return named(ask.sweep, ask.others[:MOST_OTHERS])


def _title(sweep: Sweep) -> str:
    """Titles may be the same; names are not."""
    return f"{sweep.display_name} ({sweep.name})" if sweep.display_name else sweep.name
