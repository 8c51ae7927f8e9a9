"""The trials table: order, page, cells. The same for the page and for its live updates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from studio import formatting
from sweeps.domain.board import Ints
from sweeps.domain.objective import Goal
from sweeps.domain.selection import Selection
from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.boards import board_of
from sweeps.queries.records import best_trial
from sweeps.queries.selecting import in_order, kept
from sweeps.queries.table_columns import Column, Head, all_columns, chosen, heads, standard
from sweeps.queries.trials import last_metrics
from sweeps.queries.waiting import MOMENT, why_trials

PAGE = 50
SIZES = (25, 50, 100, 200)
MISSING = formatting.MISSING


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in words; `heat` 0..1 colours it, None does not; `absent` for a missing one."""

    text: str
    kind: str
    heat: float | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One trial as a line; `reason` says why it ended as it did, or why it waits.

    `brief` has its parameters in one text, for narrow screens.
    """

    trial: Trial
    is_best: bool
    cells: tuple[Cell, ...]
    duration_s: float | None
    objective: str
    brief: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrialTable:
    """A page of trials. `known` counts all trials, `shown` those that the selection keeps."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    order: str
    page: int
    pages: int
    known: int
    shown: int
    size: int = PAGE

    @property
    def first(self) -> int:
        """Number of the first row of the page, from 1."""
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row of the page."""
        return (self.page - 1) * self.size + len(self.rows)


def matching(sweep: Sweep, selection: Selection, order: str = "") -> Ints:
    """Numbers of the trials that a selection keeps, in an order (default: the best first).

    Raises InvalidInput for an order that there is not.
    """
    board = board_of(sweep)
    rows = in_order(sweep, board, order or best_order(sweep))
    return board.number[rows[kept(sweep, board, selection)[rows]]]


def trial_table(
    sweep: Sweep,
    now: datetime,
    *,
    order: str = "",
    selection: Selection,
    page: int = 1,
    size: int = PAGE,
    columns: Sequence[str] = (),
) -> TrialTable:
    """The table's page, with the columns that `cols=` names.

    Raises InvalidInput for an order or a status that there is not.
    """
    order = order or best_order(sweep)
    numbers = matching(sweep, selection, order)
    pages = max(1, -(-len(numbers) // size))
    page = min(max(page, 1), pages)
    trials = _trials(sweep, numbers[(page - 1) * size : page * size].tolist())
    wanted = chosen(all_columns(sweep, best_order(sweep)), columns)
    return TrialTable(
        heads=tuple(heads(wanted, order)),
        rows=tuple(rows_of(sweep, trials, wanted, now)),
        order=order,
        page=page,
        pages=pages,
        known=sweep.planned,
        shown=len(numbers),
        size=size,
    )


def _trials(sweep: Sweep, numbers: Sequence[int]) -> list[Trial]:
    """These trials in this order."""
    found = {row.number: row for row in Trial.objects.filter(sweep=sweep, number__in=numbers)}
    return [found[number] for number in numbers if number in found]


def best_order(sweep: Sweep) -> str:
    """The order that puts the best trial first."""
    return "objective" if sweep.goal == Goal.MINIMIZE else "-objective"


def few_trials(
    sweep: Sweep, now: datetime, order: str, count: int, selection: Selection
) -> TrialTable:
    """The first trials of an order that a selection keeps, for the overview.

    In the best order trials that can win come before a cancelled or running one that was ahead;
    where others are shown, too, the column is sorted no more, and says nothing of an order.
    """
    board = board_of(sweep)
    mask = kept(sweep, board, selection)
    best = order == best_order(sweep)
    winners = board.best_first(minimize=sweep.goal == Goal.MINIMIZE) if best else board.number[:0]
    rows = winners[mask[winners]][:count]
    can_win = board.number[rows].tolist()
    if len(rows) < count:
        others = in_order(sweep, board, order)
        others = others[mask[others] & ~board.can_win[others]] if best else others[mask[others]]
        rows = np.concatenate([rows, others[: count - len(rows)]])
    trials = _trials(sweep, board.number[rows].tolist())
    compared = [trial for trial in trials if trial.number in can_win] if best else trials
    order = order if len(compared) == len(trials) else ""
    columns = standard(all_columns(sweep, best_order(sweep)))
    metrics = [column for column in columns if column.kind == "metric"]
    columns = [column for column in columns if column not in metrics[1:]]
    lines = tuple(rows_of(sweep, trials, columns, now, compared))
    shown = int(mask.sum())
    return TrialTable(tuple(heads(columns, order)), lines, order, 1, 1, sweep.planned, shown)


def rows_of(
    sweep: Sweep,
    trials: Sequence[Trial],
    columns: Sequence[Column],
    now: datetime,
    compared: Sequence[Trial] | None = None,
) -> list[Row]:
    """Trials as lines, with a few queries for all of them; `compared` (default: all) are those
    whose values are shaded by how good they are."""
    best = best_trial(sweep)
    last = last_metrics(trials)
    heated = {trial.pk for trial in (trials if compared is None else compared)}
    heats = _heats([one for one in trials if one.pk in heated], last, columns, sweep)
    waits = _waits(sweep, trials, now)
    return [
        Row(
            trial=trial,
            is_best=best is not None and trial.pk == best.pk,
            cells=tuple(
                _cell(
                    trial,
                    last.get(trial.pk, {}),
                    column,
                    heats.get(column.key) if trial.pk in heated else None,
                    now,
                )
                for column in columns
            ),
            duration_s=_duration(trial, now),
            objective=formatting.objective(trial.objective),
            brief=", ".join(formatting.param(value) for value in trial.flat_params.values()),
            reason=waits.get(trial.pk, trial.reason),
        )
        for trial in trials
    ]


def _waits(sweep: Sweep, trials: Sequence[Trial], now: datetime) -> dict[int, str]:
    """Why queued ones wait; those that start in a moment say nothing, lest rows jump."""
    queued = [trial for trial in trials if trial.status == TrialStatus.QUEUED]
    return {pk: text for pk, text in why_trials(sweep, queued, now).items() if text != MOMENT}


Range = tuple[float, float]
Values = Mapping[str, float]


def _value(trial: Trial, last: Values, column: Column) -> float | None:
    """What a column of numbers that are logged shows of a trial."""
    if column.kind == "objective":
        return trial.objective
    return last.get(column.key.removeprefix("metrics."))


def _heats(
    trials: Sequence[Trial],
    last: Mapping[int, Values],
    columns: Sequence[Column],
    sweep: Sweep,
) -> dict[str, Range]:
    """The range of each column of values among the lines shown, better end second."""
    found: dict[str, Range] = {}
    for column in columns:
        if column.kind not in ("objective", "metric"):
            continue
        values = [_value(trial, last.get(trial.pk, {}), column) for trial in trials]
        finite = [value for value in values if value is not None and abs(value) < 1e300]
        if len(set(finite)) > 1:
            own = column.key in ("objective", f"metrics.{sweep.primary_metric}")
            down = own and sweep.goal == Goal.MINIMIZE
            ends = (max(finite), min(finite)) if down else (min(finite), max(finite))
            found[column.key] = ends
    return found


def _heat(value: float | None, span: Range | None) -> float | None:
    if value is None or span is None or not abs(value) < 1e300:
        return None
    return round((value - span[0]) / (span[1] - span[0]), 3)


def _cell(trial: Trial, last: Values, column: Column, heat: Range | None, now: datetime) -> Cell:
    if column.kind in ("objective", "metric"):
        value = _value(trial, last, column)
        text = formatting.objective(value)
        return Cell(text, column.kind, _heat(value, heat), value is None)
    if column.kind == "param":
        name = column.key.removeprefix("params.")
        known = name in trial.flat_params
        return Cell(
            formatting.param(trial.flat_params[name]) if known else formatting.INACTIVE,
            "param",
            absent=not known,
        )
    text = _TEXTS[column.key](trial, now)
    return Cell(text or MISSING, column.kind, absent=not text)


_TEXTS: Mapping[str, Callable[[Trial, datetime], str]] = {
    "reports": lambda trial, _: str(trial.reports or ""),
    "duration_s": lambda trial, now: formatting.duration(_duration(trial, now)),
    "started_at": lambda trial, _: (
        formatting.absolute(trial.started_at) if trial.started_at else ""
    ),
    "attempt": lambda trial, _: str(trial.attempt or ""),
    "run_id": lambda trial, _: trial.run_id,
    "note": lambda trial, _: " ".join(trial.note.split()),
}


def _duration(trial: Trial, now: datetime) -> float | None:
    if trial.started_at is None:
        return None
    return max(0.0, ((trial.ended_at or now) - trial.started_at).total_seconds())
