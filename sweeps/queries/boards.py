"""All trials of a sweep as columns, kept in memory and brought up to date by revision.

Reading 100,000 trials takes a second, reading those that changed since the last page a
millisecond: every change of a trial carries the sweep's next revision, and whoever makes one holds
the sweep's row until it is stored, so none can appear below a revision that was read.
"""

import json
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection

from sweeps.domain.board import CODES, Board, Column, Floats
from sweeps.domain.marks import Mark
from sweeps.domain.space import Scalar
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.queries.kept import Kept
from sweeps.queries.trials import parameter_columns

# So many trials are kept in memory over all sweeps, about 1 kB each with ten parameters.
MOST_TRIALS = 400_000
# Values of metrics that are kept of one sweep, 8 bytes each; of small sweeps all.
MOST_VALUES = 8_000_000
# A program may log under any number of names; pages have room for so many of a sweep.
MOST_NAMES = 1_000
# So many are kept in memory of a sweep; of others the database is asked.
KNOWN_NAMES = 20_000
# So many of them are counted as one trial.
_PER_TRIAL = 100


@dataclass
class _Kept:
    """What is known of one sweep; `lock` lets one thread at a time bring news."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    board: Board | None = None
    # By metric: the revision it is of, and the last value of each trial, NaN without one.
    metrics: dict[str, tuple[int, Floats]] = field(default_factory=dict)
    # Metrics that some trial logged, all of them below KNOWN_NAMES, as of the revision `named_at`.
    names: set[str] = field(default_factory=set)
    named_at: int = -1


def _weight(kept: _Kept) -> int:
    """What it takes, in trials; 1 at least, for there may be any number of empty sweeps."""
    trials = len(kept.board) if kept.board is not None else 0
    return 1 + trials + trials * len(kept.metrics) // _PER_TRIAL


_kept = Kept(_Kept, _weight)


def board_of(sweep: Sweep) -> Board:
    """The sweep's trials, at least as new as the `revision` of `sweep`."""
    kept = _kept.of(sweep)
    with kept.lock:
        if kept.board is None or kept.board.revision < sweep.revision:
            kept.board = _read(sweep, kept.board)
        board = kept.board
    _kept.shrink(MOST_TRIALS)
    return board


def metric_column(sweep: Sweep, board: Board, name: str) -> Floats:
    """The last value of a metric for each row of `board`, NaN where there is no finite one.

    Of a name that no trial logged nothing is kept: addresses may name any number of them.
    """
    if not _is_logged(sweep, name):
        return np.full(len(board), np.nan)
    kept = _kept.of(sweep)
    with kept.lock:
        revision, values = kept.metrics.get(name, (-1, np.empty(0)))
        if revision < board.revision:
            values = _last_values(sweep, board, name, revision, values)
        kept.metrics.pop(name, None)  # what was asked for last stands last
        kept.metrics[name] = (max(revision, board.revision), values)
        while len(kept.metrics) > 1 and len(kept.metrics) * len(board) > MOST_VALUES:
            del kept.metrics[next(iter(kept.metrics))]
    return values[: len(board)]


def metric_names(sweep: Sweep) -> list[str]:
    """The metrics that trials of the sweep logged, the primary one first; MOST_NAMES at most."""
    names = _names(sweep)
    primary = [name for name in (sweep.primary_metric,) if _is_logged(sweep, name)]
    return [*primary, *sorted(names - set(primary))][:MOST_NAMES]


def _is_logged(sweep: Sweep, name: str) -> bool:
    """True if a trial logged the metric."""
    names = _names(sweep)
    if name in names or len(names) < KNOWN_NAMES:
        return name in names
    return MetricSummary.objects.filter(trial__sweep=sweep, name=name).exists()


def _names(sweep: Sweep) -> set[str]:
    """Metrics that trials of the sweep logged: every one, or KNOWN_NAMES of them."""
    kept = _kept.of(sweep)
    with kept.lock:
        if kept.named_at < sweep.revision:
            fresh = MetricSummary.objects.filter(trial__sweep=sweep)
            fresh = fresh.filter(trial__revision__gt=kept.named_at).order_by()
            found = fresh.values_list("name", flat=True).distinct()
            if len(kept.names) < KNOWN_NAMES:
                kept.names.update(found[:KNOWN_NAMES])
            kept.named_at = sweep.revision
        return set(kept.names)


def forget() -> None:
    """Drop everything that is kept."""
    _kept.forget()


# --- Reading ------------------------------------------------------------------------------------

_EPOCH = {
    "sqlite": "(julianday({0}) - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch from {0})::float8",
}
# So many rows, and parameters of theirs, are turned into columns at a time.
_PIECE, _PIECE_VALUES = 5_000, 500_000
Row = tuple[Any, ...]
_FIELDS = ("number", "status", "objective", "last_value", "reports", "best_report")


def _pieces(sweep: Sweep, since: int) -> Generator[list[Row]]:
    """By hand: Django's conversions of times and JSON would take two thirds of the time. In
    pieces: as rows, 100,000 trials take five times the memory that they take as columns."""
    epoch = _EPOCH[connection.vendor]
    columns = [*_FIELDS, epoch.format("started_at"), epoch.format("ended_at")]
    # CAST: PostgreSQL's driver would read JSON by itself.
    columns += ["CAST(flat_params AS text)", "pinned", "CAST(tags AS text)", "note"]
    table = connection.ops.quote_name(Trial._meta.db_table)
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE sweep_id = %s"  # noqa: S608
    known: list[Any] = [sweep.pk]
    if since >= 0:
        sql += " AND revision > %s"
        known.append(since)
    size = min(_PIECE, max(1, _PIECE_VALUES // max(1, len(parameter_columns(sweep)))))
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY number", known)
        while rows := cursor.fetchmany(size):
            yield list(rows)


def _read(sweep: Sweep, old: Board | None) -> Board:
    return _all(sweep) if old is None else _brought_up(sweep, old)


def _all(sweep: Sweep) -> Board:
    raw: dict[str, list[Scalar | None]] = {name: [] for name in parameter_columns(sweep)}
    arrays, marks = [_arrays([])], dict[int, Mark]()
    for rows in _pieces(sweep, -1):
        arrays.append(_arrays(rows))
        marks |= _marks(rows)
        params = [json.loads(row[8]) for row in rows]
        for name, values in raw.items():
            values += [one.get(name) for one in params]
    joined = {name: np.concatenate([one[name] for one in arrays]) for name in _COLUMNS}
    columns = {name: Column(values) for name, values in raw.items()}
    return Board(revision=sweep.revision, params=columns, marks=marks, **joined)


def _brought_up(sweep: Sweep, old: Board) -> Board:
    pieces = _pieces(sweep, old.revision)
    rows = next(pieces, [])
    if not rows:
        return old.at(sweep.revision)
    if next(pieces, None):
        pieces.close()
        return _all(sweep)  # piece by piece: those that changed are many
    fresh, marks = _arrays(rows), _marks(rows)
    params = [json.loads(row[8]) for row in rows]
    news = {row[0] for row in rows}
    kept = {number: mark for number, mark in old.marks.items() if number not in news}
    return _merged(sweep.revision, old, fresh, params, kept | marks)


def _marks(rows: Sequence[Row]) -> dict[int, Mark]:
    return {row[0]: _mark(row) for row in rows if row[9] or row[10] != "[]" or row[11]}


def _mark(row: Row) -> Mark:
    return Mark(bool(row[9]), tuple(json.loads(row[10])), row[11])


_COLUMNS = (
    "number", "status", "objective", "last", "reports", "best_report", "started", "ended",
)  # fmt: skip
_WHOLE = ("number", "status", "reports")


def _arrays(rows: Sequence[Row]) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    found: dict[str, Any] = {}
    for place, name in enumerate(_COLUMNS):
        values: Sequence[Any] = columns[place]
        if name == "status":
            values = [CODES[value] for value in values]
        found[name] = np.array(values, dtype=np.int64 if name in _WHOLE else np.float64)
    return found


def _columns_of(board: Board) -> dict[str, Any]:
    return {name: getattr(board, name) for name in _COLUMNS}


def _merged(
    revision: int,
    old: Board,
    fresh: Mapping[str, Any],
    params: Sequence[Mapping[str, Scalar]],
    marks: Mapping[int, Mark],
) -> Board:
    """The old rows with those that changed, and the new ones behind them."""
    known = np.isin(fresh["number"], old.number)
    places = np.searchsorted(old.number, fresh["number"][known])
    arrays = {}
    for name, column in _columns_of(old).items():
        changed = column.copy()
        changed[places] = fresh[name][known]
        arrays[name] = np.concatenate([changed, fresh[name][~known]])
    # A trial's parameters never change.
    added = [values for values, old_one in zip(params, known, strict=True) if not old_one]
    columns = {
        name: column.longer([values.get(name) for values in added]) if added else column
        for name, column in old.params.items()
    }
    return Board(revision=revision, params=columns, marks=marks, **arrays)


def _last_values(sweep: Sweep, board: Board, name: str, since: int, known: Floats) -> Floats:
    """The values known so far, and those of trials that changed since."""
    summaries = MetricSummary.objects.filter(trial__sweep=sweep, name=name)
    if since >= 0:
        summaries = summaries.filter(trial__revision__gt=since)
    values = np.full(len(board), np.nan)
    values[: len(known)] = known
    found = list(summaries.values_list("trial__number", "last"))
    if found:
        numbers, last = zip(*found, strict=True)
        places = np.searchsorted(board.number, np.array(numbers, dtype=np.int64))
        there = places < len(board)
        values[places[there]] = np.array(last, dtype=np.float64)[there]
    return values
