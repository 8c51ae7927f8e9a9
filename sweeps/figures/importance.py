"""Parameter importance: what the queue worked out, or why there is nothing yet."""

from sweeps.charts.importance import build_importance_info, importance_figure
from sweeps.domain.importance import MIN_TRIALS
from sweeps.domain.states import FINAL_TRIAL
from sweeps.figures.ask import Ask, Drawing
from sweeps.queries.analyses import IMPORTANCE, importance


def build(ask: Ask) -> Drawing:
    """Of all trials with a value, whatever the selection: parts of a sweep are another question."""
    valued = _valued(ask)
    info = build_importance_info(
        importance(ask.sweep) if valued >= MIN_TRIALS else None,
        valued=valued,
        failed=_failed(ask),
        final=ask.final,
        metric=ask.sweep.primary_metric,
        filtered=ask.selection.is_filtered,
    )
    return info, importance_figure(info)


def needs(ask: Ask) -> str:
    """The analysis that the chart draws, "" with too few trials for one."""
    return IMPORTANCE if _valued(ask) >= MIN_TRIALS else ""


def _valued(ask: Ask) -> int:
    return int(ask.board.can_win.sum())


def _failed(ask: Ask) -> int:
    """Trials that ended and say nothing."""
    return int((ask.board.having(FINAL_TRIAL) & ~ask.board.can_win).sum())
