"""Trials over time in the slots they took."""

from datetime import datetime

import numpy as np

from sweeps.charts.timeline import (
    MOST_BARS,
    Run,
    TimelineInfo,
    build_busy_info,
    build_timeline_info,
    timeline_figure,
)
from sweeps.figures.ask import Ask, Drawing
from sweeps.queries.clock import database_now
from sweeps.queries.timeline import Span, spans


def build(ask: Ask) -> Drawing:
    """A bar per attempt, or of more than a thousand trials the slots busy over time."""
    started = int((~np.isnan(ask.board.started)).sum())
    now = ask.sweep.ended_at if ask.final and ask.sweep.ended_at else database_now()
    info = _busy(ask, started, now) if started > MOST_BARS else _bars(ask, now)
    return info, timeline_figure(info)


def _slots(ask: Ask) -> int:
    return min(ask.sweep.max_concurrent_trials, ask.sweep.compute.slots)


def _bars(ask: Ask, now: datetime) -> TimelineInfo:
    found = spans(ask.sweep)
    first = min((span.began for span in found), default=now)
    out = set(ask.board.number[~ask.mask].tolist())
    runs = [_run(span, first, now, span.number in out) for span in found]
    return build_timeline_info(runs, slots=_slots(ask), final=ask.final)


def _run(span: Span, first: datetime, now: datetime, out: bool) -> Run:
    start = (span.began - first).total_seconds()
    end = ((span.ended or now) - first).total_seconds()
    waited = (span.began - span.queued).total_seconds()
    return Run(
        span.number, span.attempt, span.status, start, max(end, start), max(waited, 0.0), out
    )


def _busy(ask: Ask, started: int, now: datetime) -> TimelineInfo:
    board = ask.board
    rows = ~np.isnan(board.started)
    first = float(board.started[rows].min())
    starts = board.started[rows] - first
    ends = np.nan_to_num(board.ended[rows], nan=now.timestamp()) - first
    return build_busy_info(
        starts, np.maximum(ends, starts), trials=started, slots=_slots(ask), final=ask.final
    )
