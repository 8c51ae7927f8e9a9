"""How numbers, times and statuses are written, on pages and in charts alike. No Django."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

MISSING = "–"
INACTIVE = "none"
MINUS = "−"
OBJECTIVE_DIGITS = 6
PARAM_DIGITS = 4
TRIAL_COLOURS = 10
TRIAL_DASHES = ("solid", "dash", "dot", "dashdot")

_DAY = 86_400
# From here on the digits before the point alone would be more than anyone reads.
_LARGE_EXPONENT = 7
_SMALL_EXPONENT = -3


@dataclass(frozen=True, slots=True)
class StatusLook:
    """How a status is shown: its words, colour family and icon ("" is the pulsing dot)."""

    label: str
    family: str
    icon: str


STATUS_LOOKS: Mapping[str, StatusLook] = MappingProxyType(
    {
        "Queued": StatusLook("Queued", "neutral", "clock"),
        "Starting": StatusLook("Starting", "blue", "loader"),
        "Running": StatusLook("Running", "blue", ""),
        "Stopping": StatusLook("Stopping", "blue", "stop"),
        "Paused": StatusLook("Paused", "amber", "pause"),
        "Completed": StatusLook("Completed", "green", "circle-check"),
        "Failed": StatusLook("Failed", "red", "circle-x"),
        "Canceled": StatusLook("Canceled", "neutral", "ban"),
        "EarlyTerminated": StatusLook("Early-terminated", "violet", "scissors"),
        "TimedOut": StatusLook("Timed out", "amber", "hourglass"),
        "Lost": StatusLook("Lost", "amber", "plug-x"),
        "Ready": StatusLook("Ready", "green", "circle-check"),
    }
)


def status_look(status: str) -> StatusLook:
    """The look of a status; an unknown one is shown as it is, in neutral."""
    return STATUS_LOOKS.get(status, StatusLook(status, "neutral", "circle"))


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a progress bar: `count` trials, in a colour family."""

    key: str
    label: str
    family: str
    count: int


_SEGMENTS = (
    ("completed", "completed", "green", ("Completed",)),
    ("early-terminated", "early-terminated", "violet", ("EarlyTerminated",)),
    ("timed-out", "timed out", "amber", ("TimedOut",)),
    ("lost", "lost", "amber", ("Lost",)),
    ("failed", "failed", "red", ("Failed",)),
    ("canceled", "canceled", "neutral", ("Canceled",)),
    ("running", "running", "blue", ("Running", "Starting")),
)


def progress_segments(counts: Mapping[str, int], total: int) -> list[Segment]:
    """The non-empty parts of a progress bar in their fixed order, what is left last.

    `counts` maps trial statuses to numbers of trials; `total` is the limit of trials.
    """
    found = [
        Segment(key, label, family, sum(counts.get(s, 0) for s in statuses))
        for key, label, family, statuses in _SEGMENTS
    ]
    rest = max(0, total - sum(segment.count for segment in found))
    return [s for s in (*found, Segment("rest", "to go", "", rest)) if s.count]


def _minus(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else f"{MINUS}Infinity"
    return "0" if value == 0 else None


def significant(value: float, digits: int, scientific_digits: int | None = None) -> str:
    """`value` with a fixed number of significant digits; `3.37e-4` below 1e-3 and from 1e7 on.

    Digits before the point are never rounded away; `scientific_digits` (default: `digits`)
    applies to the form with an exponent.
    """
    special = _special(value)
    if special is not None:
        return special
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    if exponent < _SMALL_EXPONENT or exponent >= _LARGE_EXPONENT:
        mantissa, _, power = f"{value:.{(scientific_digits or digits) - 1}e}".partition("e")
        return f"{_minus(mantissa)}e{int(power)}"
    return _minus(f"{value:.{max(0, digits - 1 - exponent)}f}")


def objective(value: float | None) -> str:
    """A value of the objective or of another metric: 0.883398, 1.00000, 3.37000e-4."""
    return MISSING if value is None else significant(float(value), OBJECTIVE_DIGITS)


def param(value: object) -> str:
    """A parameter's value: 0.1002, 3.37e-4, 256, gbdt; None is an inactive parameter."""
    if value is None:
        return INACTIVE
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return _minus(str(value))
    if isinstance(value, float):
        return significant(value, PARAM_DIGITS, 3)
    return json.dumps(value, separators=(", ", ": "), ensure_ascii=False)


def plain(value: float) -> str:
    """A bound or a tick as people write it: 0.05, 10, 1e-6, 250000."""
    special = _special(value)
    if special is not None:
        return special
    if 1e-3 <= abs(value) < 10**_LARGE_EXPONENT:
        return _minus(f"{value:.10f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}")
    mantissa, _, power = f"{value:.5e}".partition("e")
    return f"{_minus(mantissa.rstrip('0').rstrip('.'))}e{int(power)}"


def delta(value: float | None) -> str:
    """A difference with its sign: +0.00277, −5.4e-4, +46, same."""
    if value is None:
        return MISSING
    if value == 0:
        return "same"
    text = _minus(count(value)) if isinstance(value, int) else significant(value, 3, 2)
    return text if text.startswith((MINUS, "NaN")) else f"+{text}"


def count(number: int) -> str:
    """How many, with thousands set apart: 2,000."""
    return f"{number:,}"


def duration_delta(seconds: float) -> str:
    """A difference of durations with its sign: +5.4 s, −1m 20s."""
    text = duration(abs(seconds))
    return f"{MINUS if seconds < 0 else '+'}{text}"


def duration(seconds: float | None) -> str:
    """Seconds as 4.3 s, 48 s, 2m 55s, 1h 46m or 2d 03h."""
    if seconds is None:
        return MISSING
    seconds = max(0.0, float(seconds))
    if seconds < 9.95 and seconds % 1:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < _DAY:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // _DAY}d {whole % _DAY // 3600:02d}h"


def ago(moment: datetime, now: datetime) -> str:
    """How far `moment` is from `now`: 18 min ago, in 2 h; from a day on the date in UTC."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "just now"
    if size >= _DAY:
        return _date(moment, now)
    unit = ((60, 1, "s"), (3600, 60, "min"), (_DAY, 3600, "h"))
    text = next(f"{int(size // step)} {name}" for limit, step, name in unit if size < limit)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _date(moment: datetime, now: datetime) -> str:
    moment = moment.astimezone(UTC)
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M} UTC"


def absolute(moment: datetime) -> str:
    """A moment in full: 23 Nov 2026 14:02:05 UTC."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y %H:%M:%S} UTC"


def size(count: float | None) -> str:
    """Bytes of a file, in decimal units: 820 B, 38 kB, 3.1 MB."""
    return _scaled(count, 1000, ("B", "kB", "MB", "GB", "TB"), 1)


def memory(count: float | None) -> str:
    """Bytes of memory, in binary units: 512 MiB, 1.42 GiB."""
    return _scaled(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB"), 2)


def _scaled(count: float | None, base: int, units: tuple[str, ...], decimals: int) -> str:
    if count is None:
        return MISSING
    value, index = float(count), 0
    while value >= base and index < len(units) - 1:
        value, index = value / base, index + 1
    shown = decimals if index and value < 10 else min(decimals, 1) if 10 <= value < 20 else 0
    return f"{value:.{shown if index else 0}f} {units[index]}"


def trial_colour(number: int) -> int:
    """Which of the ten trial colours a trial has."""
    return number % TRIAL_COLOURS


def trial_dash(number: int) -> str:
    """The dash of a trial's line, which tells apart trials of one colour."""
    return TRIAL_DASHES[number // TRIAL_COLOURS % len(TRIAL_DASHES)]


# A spreadsheet takes a text that begins so for a formula; with `;` between cells the rest of one.
FORMULA = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20", ";=", ";+", ";-", ";@")


def cell(text: str) -> str:
    """A text of a CSV file: what a spreadsheet would run gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA) else text
