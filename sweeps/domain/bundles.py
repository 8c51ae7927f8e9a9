"""A sweep bundle: what its files hold, and what of it is believed when one is read.

Everything in a bundle may have been written by anybody: each value is checked for its type and its
range, and a trial's parameters must be a point of the search space.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sweeps.domain.job import SweepJob
from sweeps.domain.limits import MAX_TOTAL_TRIALS, values_problem
from sweeps.domain.naming import name_problem
from sweeps.domain.picks import point_and_draw
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import ParamValue
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.domain.wording import cut, shown

FORMAT, VERSION = "sweep-studio-bundle", 1
FACTS, JOB, TRIALS, CODE, PACKAGES = (
    "bundle.json", "job.yml", "trials.jsonl", "code", "packages.txt",
)  # fmt: skip
MAX_METRICS, MAX_NAME, MAX_TEXT = 500, 250, 10_000
# Of a trial, and of the whole bundle.
MAX_POINTS, MAX_ALL_POINTS = 100_000, 2_000_000
# Of the whole bundle: metrics of trials, of which each becomes a row, and letters of their names.
MAX_ALL_METRICS, MAX_ALL_NAMES = 500_000, 64 * 2**20
_BIGGEST = 2**53
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
UNENDED = "It had not ended when the bundle was made ({})."


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric of a trial; `last` may be any float, the others are of finite values."""

    name: str
    count: int
    last: float
    last_step: int
    lowest: float | None
    highest: float | None
    total: float
    finite: int


@dataclass(frozen=True, slots=True)
class Point:
    """One logged value."""

    step: int
    value: float
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A trial as it was: final, with a point of the search space."""

    number: int
    status: TrialStatus
    params: dict[str, ParamValue]
    draw: dict[str, int | float]
    reason: str = ""
    signature: str = ""
    picked_by: str = ""
    objective: float | None = None
    last_value: float | None = None
    best_report: int | None = None
    reports: int = 0
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summaries: tuple[Summary, ...] = ()
    points: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Totals:
    """What the trials of one bundle have together, each in the same columns of parameters."""

    columns: int
    trials: int = 0
    points: int = 0
    metrics: int = 0
    names: int = 0

    def add(self, trial: Recorded) -> None:
        """One more trial. Raises InvalidInput where all have too much."""
        self.trials += 1
        if problem := values_problem(self.trials, self.columns):
            raise InvalidInput.one("params", problem.message)
        names = [*trial.points, *(summary.name for summary in trial.summaries)]
        self.points += sum(map(len, trial.points.values()))
        self.metrics += len(names)
        self.names += sum(map(len, names))
        if self.points > MAX_ALL_POINTS:
            raise InvalidInput.one("points", f"At most {MAX_ALL_POINTS:,} values are taken.")
        if self.metrics > MAX_ALL_METRICS or self.names > MAX_ALL_NAMES:
            text = (
                f"At most {MAX_ALL_METRICS:,} metrics of trials, with names of "
                f"{MAX_ALL_NAMES:,} characters together, are taken of a bundle."
            )
            raise InvalidInput.one("metrics", text)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the sweep as a whole; `origin` says where the bundle was made."""

    sweep: str
    origin: str
    status: SweepStatus
    reason: str
    seed: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def parse_json(text: str) -> Any:
    """JSON without NaN, infinities or text that no database keeps. Raises InvalidInput."""
    try:
        text.encode()
        found = json.loads(text, parse_constant=_no_constant)
        # Such texts can only come of an escape: half the time of a large bundle goes without.
        if "\\u" in text:
            _plain(found)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.one("", "Cannot be read as JSON.") from error
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _plain(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise InvalidInput.one("", "Has a text with a NUL or half a character.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _plain(key)
            _plain(item)
    elif isinstance(value, list):
        for item in value:
            _plain(item)


def as_number(value: float | None) -> float | str | None:
    """A float as JSON can have it."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def facts_of(document: Any) -> Facts:
    """What bundle.json says. Raises InvalidInput."""
    doc = _mapping(document, FACTS)
    if doc.get("format") != FORMAT:
        raise InvalidInput.one("", "It is no sweep bundle: bundle.json does not say so.")
    if doc.get("version") != VERSION:
        text = f"Version {shown(doc.get('version'))} of bundles is not known here; {VERSION} is."
        raise InvalidInput.one("", text)
    status = _one_of(doc, "status", SweepStatus)
    reason = _text(doc, "reason")
    if not status.is_final:
        reason, status = UNENDED.format(status), SweepStatus.CANCELED
    return Facts(
        sweep=_name(doc, "sweep"),
        origin=cut(_text(doc, "origin"), 1000),
        status=status,
        reason=reason,
        seed=_whole(doc, "seed", 0, 2**63 - 1),
        created_at=_time(doc, "created_at") or datetime.now(UTC),
        started_at=_time(doc, "started_at"),
        ended_at=_time(doc, "ended_at"),
    )


def trial_of(document: Any, job: SweepJob) -> Recorded:
    """A line of trials.jsonl. Raises InvalidInput, saying what in it is wrong."""
    doc = _mapping(document, "A trial")
    status = _one_of(doc, "status", TrialStatus)
    reason = _text(doc, "reason")
    if not status.is_final:
        reason, status = UNENDED.format(status), TrialStatus.CANCELED
    base = job.sampling.logbase
    given = _mapping(doc.get("params"), "params")
    params, draw = point_and_draw(job.search_space, given, base)
    picked = cut(_text(doc, "picked_by"), 150)[:150]
    points = _points(doc.get("points"))
    return Recorded(
        number=_whole(doc, "number", 0, MAX_TOTAL_TRIALS - 1),
        status=status,
        params=params,
        draw={} if picked else draw,
        reason=reason,
        signature=_text(doc, "signature")[:300],
        picked_by=picked,
        objective=_finite(doc, "objective"),
        last_value=_finite(doc, "last_value"),
        best_report=_optional(doc, "best_report"),
        reports=_whole(doc, "reports", 0, 2**31 - 1, 0),
        attempt=_whole(doc, "attempt", 0, 2**31 - 1, 1),
        started_at=_time(doc, "started_at"),
        ended_at=_time(doc, "ended_at"),
        summaries=_summaries(doc.get("metrics"), points),
        points=points,
    )


def _summaries(value: Any, points: Mapping[str, Any]) -> tuple[Summary, ...]:
    """Those without points, from which they are made anew."""
    doc = _mapping({} if value is None else value, "metrics")
    if len(doc) > MAX_METRICS:
        raise InvalidInput.one("metrics", f"At most {MAX_METRICS} are taken.")
    return tuple(_summary(name, item) for name, item in doc.items() if name not in points)


def _summary(name: str, value: Any) -> Summary:
    doc = _mapping(value, "A metric")
    _metric_name(name)
    return Summary(
        name=name,
        count=_whole(doc, "count", 0, 2**31 - 1),
        last=_any_float(doc.get("last")),
        last_step=_whole(doc, "last_step", -_BIGGEST, _BIGGEST, 0),
        lowest=_finite(doc, "lowest"),
        highest=_finite(doc, "highest"),
        total=_finite(doc, "total") or 0.0,
        finite=_whole(doc, "finite", 0, 2**31 - 1, 0),
    )


def _points(value: Any) -> dict[str, tuple[Point, ...]]:
    doc = _mapping({} if value is None else value, "points")
    found: dict[str, tuple[Point, ...]] = {}
    count = 0
    for name, items in doc.items():
        _metric_name(name)
        if not isinstance(items, list):
            raise InvalidInput.one("points", "Must be a list by metric.")
        count += len(items)
        if count > MAX_POINTS or len(found) >= MAX_METRICS:
            text = f"At most {MAX_POINTS:,} values of {MAX_METRICS} metrics are taken."
            raise InvalidInput.one("points", text)
        found[name] = tuple(_point(item) for item in items)
    return {name: points for name, points in found.items() if points}


def _point(item: Any) -> Point:
    if not isinstance(item, list) or len(item) != 3:
        raise InvalidInput.one("points", "Each is [step, value, time in milliseconds].")
    doc = {"step": item[0], "time": item[2]}
    step = _whole(doc, "step", -_BIGGEST, _BIGGEST)
    return Point(step, _any_float(item[1]), _whole(doc, "time", 0, _BIGGEST))


def _metric_name(name: str) -> None:
    if not name or len(name) > MAX_NAME:
        raise InvalidInput.one("metrics", f"A name has 1 to {MAX_NAME} characters.")


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput.one("", f"{what} must be an object, but got {shown(value)}.")
    return value


def _one_of(doc: Mapping[str, Any], key: str, known: Any) -> Any:
    value = doc.get(key)
    if value not in list(known):
        raise InvalidInput.one(key, f"{shown(value)} is not known.")
    return known(value)


def _whole(
    doc: Mapping[str, Any], key: str, low: int, high: int, default: int | None = None
) -> int:
    value = doc.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        text = f"Must be a whole number from {low} to {high}, but got {shown(value)}."
        raise InvalidInput.one(key, text)
    return value


def _optional(doc: Mapping[str, Any], key: str) -> int | None:
    return None if doc.get(key) is None else _whole(doc, key, 0, 2**31 - 1)


def _any_float(value: Any) -> float:
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput.one("", f"Must be a number, but got {shown(value)}.")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InvalidInput.one("", "Must be a number that a float can hold.")
    return found


def _finite(doc: Mapping[str, Any], key: str) -> float | None:
    value = doc.get(key)
    if value is None:
        return None
    found = _any_float(value)
    if not math.isfinite(found):
        raise InvalidInput.one(key, "Must be finite.")
    return found


def _text(doc: Mapping[str, Any], key: str) -> str:
    value = doc.get(key, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        text = f"Must be text of {MAX_TEXT:,} characters at most, but got {shown(value)}."
        raise InvalidInput.one(key, text)
    return value


def _name(doc: Mapping[str, Any], key: str) -> str:
    """What may name a sweep here: it becomes a part of addresses and of file names."""
    text = _text(doc, key)
    if problem := name_problem(text):
        raise InvalidInput.one(key, problem)
    return text


def _time(doc: Mapping[str, Any], key: str) -> datetime | None:
    value = doc.get(key)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None or not 1970 <= found.year <= 9998:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        text = f"Must be a time like 2026-03-01T12:00:00+00:00, but got {shown(value)}."
        raise InvalidInput.one(key, text) from error
