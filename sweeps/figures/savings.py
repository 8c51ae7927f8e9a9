"""What early termination saved."""

from sweeps.charts.savings import Stopped, Totals, build_savings_info, savings_figure
from sweeps.domain.savings import Savings, savings
from sweeps.domain.termination.registry import describe
from sweeps.figures.ask import Ask, Drawing
from sweeps.queries.records import early_termination_of


def build(ask: Ask) -> Drawing:
    """Every terminated trial against the median of the completed ones."""
    found = savings(ask.board, minimize=ask.minimize)
    early = early_termination_of(ask.sweep)
    info = build_savings_info(
        _stopped(ask, found),
        _totals(found) if found.known else None,
        metric=ask.sweep.primary_metric,
        policy=describe(early) if early else "",
        final=ask.final,
    )
    return info, savings_figure(info)


def has_policy(ask: Ask) -> bool:
    """Whether the chart has anything to say of the sweep."""
    return bool(ask.sweep.early_termination) or bool(ask.board.having(["EarlyTerminated"]).any())


def _totals(found: Savings) -> Totals:
    return Totals(
        found.saved_s, found.share, found.usual_s, found.unlogged, found.completed, found.ahead,
        found.leading,
    )  # fmt: skip


def _stopped(ask: Ask, found: Savings) -> list[Stopped]:
    board, rows = ask.board, found.rows
    columns = zip(
        board.number[rows].tolist(),
        board.duration_s[rows].tolist(),
        found.saved.tolist(),
        board.reports[rows].tolist(),
        board.objective[rows].tolist(),
        (~ask.mask[rows]).tolist(),
        strict=True,
    )
    return [Stopped(n, t, s, r, None if v != v else v, out) for n, t, s, r, v, out in columns]
