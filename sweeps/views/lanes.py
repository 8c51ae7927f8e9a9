"""Lanes as pages show them: each piece with its words and where it leads."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse

from studio.formatting import duration, memory, objective, status_look
from sweeps.models import Attempt, Trial
from sweeps.queries.lanes import Lanes, Piece, began, status_of

# Rows of a compute's table: more is a list of trials, which the sweep has.
MOST_ROWS = 100


class Mark(NamedTuple):
    """A piece: `words` are lines of its details, joined by "; "."""

    key: int
    family: str
    start: float
    end: float
    label: str
    words: str
    url: str
    is_best: bool


class Line(NamedTuple):
    """A lane with its marks; `holder` is the trial in it now, "" `since` none."""

    number: int
    marks: list[Mark]
    holder: Trial | None


class Row(NamedTuple):
    """A row of the table that says the same."""

    slot: int
    attempt: Attempt
    trial: Trial
    status: str
    took_s: float | None
    url: str


def lines(lanes: Lanes, now: datetime) -> list[Line]:
    """The lanes of a compute."""
    return [
        Line(lane.number, [_mark(piece, now) for piece in lane.pieces], lane.holder)
        for lane in lanes.lanes
    ]


def rows(lanes: Lanes, now: datetime) -> list[Row]:
    """The same as rows, what began last first; MOST_ROWS at most."""
    pairs = [
        (lane.number, attempt)
        for lane in lanes.lanes
        for piece in lane.pieces
        for attempt in piece.attempts
    ]
    pairs.sort(key=lambda pair: (began(pair[1]), pair[1].pk), reverse=True)
    return [
        Row(slot, one, one.trial, status_of(one), _took_s(one, now), _url(one.trial))
        for slot, one in pairs[:MOST_ROWS]
    ]


def _mark(piece: Piece, now: datetime) -> Mark:
    alone = len(piece.attempts) == 1
    look = status_look(piece.status)
    return Mark(
        key=piece.attempt.pk,
        family=look.family,
        start=piece.start,
        end=piece.end,
        label=str(piece.trial.number) if alone else f"×{len(piece.attempts)}",
        words="; ".join(_words(piece, now) if alone else _group_words(piece)),
        url=_url(piece.trial) if alone else _group_url(piece.attempts),
        is_best=piece.is_best,
    )


def _words(piece: Piece, now: datetime) -> list[str]:
    attempt, trial = piece.attempt, piece.trial
    again = f", attempt {attempt.number}" if attempt.number > 1 else ""
    did = f"{status_look(piece.status).label}{again}, {duration(_took_s(attempt, now))}"
    lines = [f"{_plain(trial)} #{trial.number}", did]
    if trial.objective is not None and piece.status == trial.status:
        best = ", best of its sweep" if piece.is_best else ""
        metric = trial.sweep.primary_metric.replace(";", ",")
        lines.append(f"{metric} {objective(trial.objective)}{best}")
    if attempt.peak_memory:
        lines.append(f"peak memory {memory(attempt.peak_memory)}")
    reason = (attempt.reason or trial.reason).replace(";", ",").strip()
    return [*lines, reason[:160]] if reason else lines


def _group_words(piece: Piece) -> list[str]:
    counts = ", ".join(f"{n} {status_look(s).label.lower()}" for s, n in piece.statuses.items())
    first, last = piece.attempts[0].trial, piece.attempts[-1].trial
    lines = [f"{len(piece.attempts)} short trials", counts]
    if first.sweep_id == last.sweep_id:
        lines.insert(0, f"{_plain(first)} #{first.number} to #{last.number}")
    return lines


def _plain(trial: Trial) -> str:
    return str(trial.sweep).replace(";", ",")


def _took_s(attempt: Attempt, now: datetime) -> float:
    return ((attempt.ended_at or now) - began(attempt)).total_seconds()


def _url(trial: Trial) -> str:
    sweep = trial.sweep
    return reverse("trial", args=[sweep.workspace.name, sweep.name, trial.number])


def _group_url(attempts: Sequence[Attempt]) -> str:
    sweeps = {attempt.trial.sweep_id: attempt.trial.sweep for attempt in attempts}
    sweep = next(iter(sweeps.values()))
    if len(sweeps) > 1:
        return reverse("sweep_list", args=[sweep.workspace.name])
    return reverse("sweep_trials", args=[sweep.workspace.name, sweep.name])
