"""Parallel coordinates, what to draw: axes, single lines, and the density of very many."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from sweeps.charts.axes import AxisInfo
from sweeps.charts.density import Density, density
from sweeps.charts.figure import Key, Table
from sweeps.charts.marks import STATUS_WORDS, trial_color
from sweeps.charts.objective_history import empty_sentence
from sweeps.charts.parallel_axes import (
    AxisChoice,
    axis_choices,
    column_places,
    jitter,
    shown_axes,
)
from sweeps.charts.parallel_color import Coloring, column_strengths, goal_strengths
from sweeps.charts.text import objective_text, param_text, plural, with_exact
from sweeps.domain.board import STATUSES, Board, Floats, Ints, Mask
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space import SearchSpace
from sweeps.domain.states import ACTIVE_TRIAL, FALLEN_TRIAL, TrialStatus

# So many trials are a line each; of more the best ones are, over the density of all.
MAX_LINES = 500
BEST_LINES = 50
# Running and picked ones beside these.
OTHER_LINES = 100
# Where "none" and "no value" stand, below the lowest value at 0; and the ends of the drawing.
ABSENT = -0.12
TOP = 1.03

LineKind = Literal["valued", "running", "bare"]


class Line(NamedTuple):
    """One trial: its place on every axis (0..1), None where it has none.

    `bare` ones ended without a result: they fell, whatever they had logged, or have no value.
    `strength` from 0 (worst) to 1 (best) colours it, None without a value; `out`: the selection
    leaves it out; `picked`: somebody wants to see this one.
    """

    number: int
    kind: LineKind
    positions: tuple[float | None, ...]
    strength: float | None
    out: bool = False
    picked: bool = False


@dataclass(frozen=True)
class ParallelInfo:
    """What parallel coordinates draw. Lines: worst first.

    `best_texts` are the best trial's values by axis. `density` is that of all trials looked at,
    None while each is a line. `absent`: by axis, whether some trial has no place on it.
    """

    choices: tuple[AxisChoice, ...]
    shown: tuple[AxisChoice, ...]
    lines: tuple[Line, ...]
    best: Line | None
    best_texts: tuple[str, ...]
    absent: tuple[bool, ...]
    density: Density | None
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]
    trials: "_Trials"

    @property
    def axes(self) -> tuple[AxisInfo, ...]:
        return tuple(choice.axis for choice in self.shown)

    @property
    def bottom(self) -> float:
        """Where the drawing ends below: room for "none" only where it is needed."""
        return _bottom(self.absent)

    @cached_property
    def table(self) -> Table:
        """Every trial that the selection keeps, with all its values."""
        return self.trials.table(self.choices)


@dataclass(frozen=True)
class _Trials:
    """Rows of a board that were started, and which of them the selection keeps."""

    board: Board
    rows: Ints
    kept: Mask
    objective: Objective

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, row: int, choices: Sequence[AxisChoice]) -> tuple[str, ...]:
        return tuple(self._text(row, choice) for choice in choices)

    def _text(self, row: int, choice: AxisChoice) -> str:
        if choice.is_objective:
            value = float(self.board.objective[row])
            return "no value" if np.isnan(value) else objective_text(value)
        column = self.board.params.get(choice.axis.name)
        return param_text(column.raw[row]) if column else "none"

    def _cell(self, row: int, choice: AxisChoice) -> str:
        """For a table."""
        if choice.is_objective:
            return with_exact(self._text(row, choice), float(self.board.objective[row]))
        column = self.board.params.get(choice.axis.name)
        return with_exact(self._text(row, choice), column.raw[row] if column else None)

    def table(self, choices: Sequence[AxisChoice]) -> Table:
        header = ("Trial", "Status", *(choice.axis.name for choice in choices))
        numbers, status = self.board.number, self.board.status
        rows = (
            (
                str(numbers[row]),
                STATUS_WORDS[STATUSES[status[row]]],
                *(self._cell(row, choice) for choice in choices),
            )
            for row in self.rows[self.kept].tolist()
        )
        return Table(header, tuple(rows))


def build_parallel_info(
    board: Board,
    space: SearchSpace,
    objective: Objective,
    *,
    kept: Mask | None = None,
    filtered: bool = False,
    picked: Collection[int] = (),
    order: Sequence[str] = (),
    color: Coloring | None = None,
    seen_metrics: Sequence[str] = (),
    final: bool = False,
) -> ParallelInfo:
    """What to draw of all trials that were started.

    `kept`: by row of the board whether the selection keeps it (`filtered`: it may leave some out);
    `picked`: numbers of trials to emphasise; `order`: words of the axes to show, none for all;
    `color`: what to colour by instead of the goal.
    """
    rows = np.flatnonzero(~board.having([TrialStatus.QUEUED]))
    looked_at = np.ones(len(rows), np.bool_) if kept is None else kept[rows]
    trials = _Trials(board, rows, looked_at, objective)
    choices = axis_choices(board, rows, space, objective, order)
    shown = shown_axes(choices, order)
    places = _places(trials, shown)
    strengths = _strengths(trials, choices, color)
    winners = board.best_first(minimize=objective.goal is Goal.MINIMIZE)
    single, mode = _single(trials, winners, picked, filtered)
    best_row = int(winners[0]) if len(winners) else None
    lines = _lines(trials, shown, places, strengths, single, best_row, set(picked))
    best = next((line for line in lines if line.number == _number(board, best_row)), None)
    return ParallelInfo(
        choices=choices,
        shown=shown,
        lines=lines,
        best=best,
        best_texts=trials.texts(best_row, shown) if best_row is not None else (),
        absent=tuple(bool(np.isnan(one).any()) for one in places),
        density=None if mode == "lines" else _density(trials, shown, places, strengths, filtered),
        empty=None if len(trials) else empty_sentence(0, objective, seen_metrics, final),
        note=_note(trials, lines, mode, filtered, choices),
        summary=_summary(trials, choices[-1].axis.name, shown, best_row),
        legend=_legend(lines, best, _bare_key(board, rows), color),
        trials=trials,
    )


def _bottom(absent: Sequence[bool]) -> float:
    return ABSENT - 0.05 if any(absent) else -0.03


def _number(board: Board, row: int | None) -> int | None:
    return None if row is None else int(board.number[row])


def _places(trials: _Trials, shown: Sequence[AxisChoice]) -> Floats:
    """Axes by trials, NaN where a trial has no place."""
    board, found = trials.board, []
    for choice in shown:
        column = board.objective if choice.is_objective else board.params.get(choice.axis.name)
        found.append(column_places(choice.axis, column, len(board))[trials.rows])
    return np.array(found).reshape(len(shown), len(trials))


def _strengths(trials: _Trials, choices: Sequence[AxisChoice], color: Coloring | None) -> Floats:
    """By the goal, or by the column asked for."""
    board = trials.board
    if color is None:
        fallen = board.having(FALLEN_TRIAL)[trials.rows]
        values = np.where(fallen, np.nan, board.objective[trials.rows])
        return goal_strengths(values, choices[-1].axis, trials.objective.goal)
    own = next((choice.axis for choice in choices if choice.axis.name == color.name), None)
    return column_strengths(color.column, own, len(board))[trials.rows]


_Mode = Literal["lines", "few", "density"]


def _single(
    trials: _Trials, winners: Ints, picked: Collection[int], filtered: bool
) -> tuple[Ints, _Mode]:
    """Which trials (places among `trials.rows`) are a line each, and what the others are: lines
    too, a ground below the few that are selected, or a density."""
    if len(trials) <= MAX_LINES:
        return np.arange(len(trials)), "lines"
    board = trials.board
    of_row = np.full(len(board), -1)
    of_row[trials.rows] = np.arange(len(trials))
    own = of_row[board.rows_of(list(picked)[:OTHER_LINES])]
    always = np.concatenate([own[own >= 0], of_row[winners[:1]]])
    looked_at = np.flatnonzero(trials.kept)
    if filtered and len(looked_at) <= MAX_LINES:
        return np.union1d(looked_at, always), "few"
    best = of_row[winners]
    best = best[trials.kept[best]][:BEST_LINES]
    active = looked_at[board.having(ACTIVE_TRIAL)[trials.rows[looked_at]]][:OTHER_LINES]
    return np.unique(np.concatenate([always, best, active])), "density"


def _lines(
    trials: _Trials,
    shown: Sequence[AxisChoice],
    places: Floats,
    strengths: Floats,
    single: Ints,
    best_row: int | None,
    picked: Collection[int],
) -> tuple[Line, ...]:
    """The single lines, worst first, so that better ones lie above them."""
    board, rows = trials.board, trials.rows[single]
    numbers = board.number[rows]
    spread = places[:, single].copy()
    for i, choice in enumerate(shown):
        if choice.axis.scale.kind == "category":
            moved = jitter(numbers, len(choice.axis.scale.categories))
            spread[i] += np.where(rows == best_row, 0.0, moved)
    active = board.having(ACTIVE_TRIAL)[rows]
    valued = board.can_win[rows]
    lines = []
    for k, number in enumerate(numbers.tolist()):
        strength = float(strengths[single[k]])
        kind: LineKind = "running" if active[k] else "valued" if valued[k] else "bare"
        lines.append(
            Line(
                number,
                kind,
                tuple(None if place != place else place for place in spread[:, k].tolist()),
                None if strength != strength else strength,
                out=not trials.kept[single[k]],
                picked=number in picked,
            )
        )
    lines.sort(key=lambda line: (-1.0 if line.strength is None else line.strength, -line.number))
    return tuple(lines)


def _density(
    trials: _Trials,
    shown: Sequence[AxisChoice],
    places: Floats,
    strengths: Floats,
    filtered: bool,
) -> Density:
    spread = places.copy()
    numbers = trials.board.number[trials.rows]
    for i, choice in enumerate(shown):
        if choice.axis.scale.kind == "category":
            spread[i] += jitter(numbers, len(choice.axis.scale.categories))
    spread = np.where(np.isnan(spread), ABSENT, spread)
    low = _bottom([bool(np.isnan(one).any()) for one in places])
    looked_at = trials.kept if filtered else np.ones(len(trials), dtype=np.bool_)
    return density(spread, strengths, looked_at, low, TOP, ground=filtered)


def _note(
    trials: _Trials,
    lines: Sequence[Line],
    mode: _Mode,
    filtered: bool,
    choices: Sequence[AxisChoice],
) -> str:
    """What exactly is drawn."""
    known, selected = len(trials), int(trials.kept.sum())
    if not known:
        return ""
    if filtered and not selected:
        text = f"no trial matches the selection, all {known:,} faint"
    elif mode == "lines":
        text = "1 trial" if known == 1 else f"all {known:,} trials"
        if filtered:
            text = f"{selected:,} of {plural(known, 'trial')} selected, the others faint"
    elif mode == "few":
        text = f"{selected:,} of {known:,} trials selected, a line each; the others as a ground"
    else:
        text = f"density of all {known:,} trials"
        if filtered:
            text = f"density of {selected:,} selected of {known:,} trials, the others as a ground"
        text += f"; {_alone(lines)} as lines"
    hidden = [c.axis.name for c in choices if c.constant and not c.shown]
    if hidden:
        what = f"constant {hidden[0]}" if len(hidden) == 1 else f"{len(hidden)} constant parameters"
        text += f"; {what} hidden"
    return text


def _alone(lines: Sequence[Line]) -> str:
    """Which trials are lines over the density: "the best 50 and 6 running"."""
    running = sum(line.kind == "running" and not line.picked for line in lines)
    picked = sum(line.picked for line in lines)
    best = sum(not line.out for line in lines if not line.picked) - running
    parts = [f"the best {best}"] if best else []
    parts += [f"{running} running"] if running else []
    parts += [f"{picked} picked"] if picked else []
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else "0"


def _summary(
    trials: _Trials, metric: str, shown: Sequence[AxisChoice], best_row: int | None
) -> str:
    bare = int(np.isnan(trials.board.objective[trials.rows]).sum())
    params = plural(sum(not choice.is_objective for choice in shown), "parameter")
    also = f" and {metric}" if any(choice.is_objective for choice in shown) else ""
    text = f"{plural(len(trials), 'trial')} over {params}{also}"
    text += f"; {bare:,} without a value." if bare else "."
    if best_row is not None:
        pairs = zip(shown, trials.texts(best_row, shown), strict=True)
        text += f" Best trial {trials.board.number[best_row]}: "
        text += ", ".join(f"{choice.axis.name} {value}" for choice, value in pairs) + "."
    return text


def _bare_key(board: Board, rows: Ints) -> Key | None:
    """What ended without a result; a click filters where one word of the address says it."""
    bare = rows[~board.can_win[rows] & ~board.having(ACTIVE_TRIAL)[rows]]
    if not len(bare):
        return None
    found = [STATUSES[code] for code in np.unique(board.status[bare]).tolist()]
    words = " or ".join(STATUS_WORDS[status].lower() for status in found)
    if np.isnan(board.objective[bare]).all():
        return Key("dot", "@red-mark", f"no value: {words}", missing="objective")
    status = found[0].value if len(found) == 1 else ""
    return Key("dot", "@red-mark", f"no result: {words}", status)


_MOST_PICKED_KEYS = 8


def _legend(
    lines: Sequence[Line], best: Line | None, bare: Key | None, color: Coloring | None
) -> tuple[Key, ...]:
    keys = [Key("line", "@best", "best trial")] if best else []
    own = [line.number for line in lines if line.picked and line is not best]
    for number in sorted(own)[:_MOST_PICKED_KEYS]:
        keys.append(Key("line", trial_color(number), f"#{number}"))
    if any(line.kind == "running" for line in lines):
        keys.append(Key("dash", "@ramp-0.50", "running", TrialStatus.RUNNING.value))
    if bare:
        keys.append(bare)
    if lines:
        better = f"a higher {color.name}" if color else "better"
        keys.append(Key("ramp", "@ramp-1.00", f"stronger colour is {better}"))
    return tuple(keys)
