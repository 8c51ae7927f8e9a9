"""The trials table: columns, order, cells. The same for the page and for its live updates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from studio import formatting
from sweeps.domain.objective import Goal
from sweeps.domain.selection import Selection
from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.boards import board_of, metric_names
from sweeps.queries.records import best_trial
from sweeps.queries.selecting import in_order, kept
from sweeps.queries.trials import last_metrics, ordered, parameter_columns
from sweeps.queries.waiting import MOMENT, why_trials

PAGE = 50
MAX_METRICS = 6
MISSING = formatting.MISSING


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `order` is the key to sort by, `direction` "ascending"/"descending"/""."""

    key: str
    title: str
    order: str
    direction: str
    next_order: str
    kind: str  # objective, metric, param, number


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in words; `heat` 0..1 colours it, None does not; `absent` for a missing one."""

    text: str
    kind: str
    heat: float | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One trial as a line; `reason` says why it ended as it did, or why it waits."""

    trial: Trial
    is_best: bool
    cells: tuple[Cell, ...]
    duration_s: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrialTable:
    """A page of trials. `known` counts all trials, `shown` those that the selection keeps."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    order: str
    page: int
    pages: int
    known: int
    shown: int

    @property
    def first(self) -> int:
        """Number of the first row of the page, from 1."""
        return (self.page - 1) * PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row of the page."""
        return (self.page - 1) * PAGE + len(self.rows)


def trial_table(
    sweep: Sweep, now: datetime, *, order: str = "", selection: Selection, page: int = 1
) -> TrialTable:
    """The table's page.

    Raises InvalidInput for an order or a status that there is not.
    """
    order = order or best_order(sweep)
    board = board_of(sweep)
    rows = in_order(sweep, board, order)
    rows = rows[kept(sweep, board, selection)[rows]]
    shown = len(rows)
    pages = max(1, -(-shown // PAGE))
    page = min(max(page, 1), pages)
    trials = _trials(sweep, board.number[rows[(page - 1) * PAGE : page * PAGE]].tolist())
    names = metric_names(sweep)[: MAX_METRICS + 1]
    return TrialTable(
        columns=tuple(_columns(sweep, names, order)),
        rows=tuple(rows_of(sweep, trials, names, now)),
        order=order,
        page=page,
        pages=pages,
        known=sweep.planned,
        shown=shown,
    )


def _trials(sweep: Sweep, numbers: Sequence[int]) -> list[Trial]:
    """These trials in this order."""
    found = {row.number: row for row in Trial.objects.filter(sweep=sweep, number__in=numbers)}
    return [found[number] for number in numbers if number in found]


def best_order(sweep: Sweep) -> str:
    """The order that puts the best trial first."""
    return "objective" if sweep.goal == Goal.MINIMIZE else "-objective"


def few_trials(sweep: Sweep, now: datetime, order: str, count: int) -> TrialTable:
    """The first trials of an order, for the overview."""
    known = Trial.objects.filter(sweep=sweep)
    # Trials that can win come before a cancelled one that was ahead.
    trials = list(known.best_first(sweep.goal)[:count]) if order == best_order(sweep) else []
    others = known.exclude(pk__in=[trial.pk for trial in trials])
    trials += ordered(others, order)[: count - len(trials)]
    names = metric_names(sweep)[:1]
    rows = tuple(rows_of(sweep, trials, names, now))
    columns = tuple(_columns(sweep, names, order))
    return TrialTable(columns, rows, order, 1, 1, sweep.planned, len(rows))


def _columns(sweep: Sweep, metrics: Sequence[str], order: str) -> list[Column]:
    better = best_order(sweep)
    found = [_column("objective", sweep.primary_metric, "objective", order, better, "objective")]
    for name in metrics:
        title = "last" if name == sweep.primary_metric else name
        key = f"metrics.{name}"
        found.append(_column(key, title, key, order, key, "metric"))
    for name in parameter_columns(sweep):
        key = f"params.{name}"
        found.append(_column(key, name, key, order, key, "param"))
    found.append(_column("reports", "Reports", "", order, "", "number"))
    found.append(_column("duration_s", "Duration", "duration_s", order, "-duration_s", "number"))
    return found


def _column(key: str, title: str, sort: str, order: str, first: str, kind: str) -> Column:
    """A column; a click sorts in the useful direction first and turns round then."""
    plain, current = sort.lstrip("-"), order.lstrip("-")
    direction = ""
    if plain and plain == current:
        direction = "descending" if order.startswith("-") else "ascending"
    turned = plain if order.startswith("-") else f"-{plain}"
    return Column(key, title, sort, direction, turned if direction else first, kind)


def rows_of(
    sweep: Sweep, trials: Sequence[Trial], metrics: Sequence[str], now: datetime
) -> list[Row]:
    """Trials as lines, with a few queries for all of them."""
    best = best_trial(sweep)
    last = last_metrics(trials)
    params = parameter_columns(sweep)
    heats = _heats(trials, last, metrics, sweep)
    waits = _waits(sweep, trials, now)
    return [
        Row(
            trial=trial,
            is_best=best is not None and trial.pk == best.pk,
            cells=tuple(_cells(trial, last.get(trial.pk, {}), metrics, params, heats)),
            duration_s=_duration(trial, now),
            reason=waits.get(trial.pk, trial.reason),
        )
        for trial in trials
    ]


def _waits(sweep: Sweep, trials: Sequence[Trial], now: datetime) -> dict[int, str]:
    """Why queued ones wait; those that start in a moment say nothing, lest rows jump."""
    queued = [trial for trial in trials if trial.status == TrialStatus.QUEUED]
    return {pk: text for pk, text in why_trials(sweep, queued, now).items() if text != MOMENT}


Range = tuple[float, float]


def _heats(
    trials: Sequence[Trial],
    last: Mapping[int, Mapping[str, float]],
    metrics: Sequence[str],
    sweep: Sweep,
) -> dict[str, Range]:
    """The range of each value column among the lines shown, better end second."""
    found: dict[str, Range] = {}
    columns = {"": [trial.objective for trial in trials]}
    columns |= {name: [last.get(trial.pk, {}).get(name) for trial in trials] for name in metrics}
    for name, values in columns.items():
        finite = [value for value in values if value is not None and abs(value) < 1e300]
        if len(set(finite)) > 1:
            own = name in ("", sweep.primary_metric)
            down = own and sweep.goal == Goal.MINIMIZE
            ends = (max(finite), min(finite)) if down else (min(finite), max(finite))
            found[name] = ends
    return found


def _heat(value: float | None, span: Range | None) -> float | None:
    if value is None or span is None or not abs(value) < 1e300:
        return None
    return round((value - span[0]) / (span[1] - span[0]), 3)


def _cells(
    trial: Trial,
    last: Mapping[str, float],
    metrics: Sequence[str],
    params: Sequence[str],
    heats: Mapping[str, Range],
) -> list[Cell]:
    objective = formatting.objective(trial.objective)
    cells = [
        Cell(objective, "objective", _heat(trial.objective, heats.get("")), trial.objective is None)
    ]
    for name in metrics:
        value = last.get(name)
        text = formatting.objective(value)
        cells.append(Cell(text, "metric", _heat(value, heats.get(name)), value is None))
    for name in params:
        known = name in trial.flat_params
        text = formatting.param(trial.flat_params[name]) if known else "none"
        cells.append(Cell(text, "param", absent=not known))
    cells.append(Cell(str(trial.reports) if trial.reports else MISSING, "number"))
    return cells


def _duration(trial: Trial, now: datetime) -> float | None:
    if trial.started_at is None:
        return None
    return max(0.0, ((trial.ended_at or now) - trial.started_at).total_seconds())
