"""Durations as people type them: "90s", "5m", "2h 30m", "1d", or bare seconds."""

import re

from sweeps.domain.wording import shown

_UNITS = (86400, 3600, 60, 1)
# Whole words only: "500ms" and "5 months" are not minutes.
_PART = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*"
    r"(?:(d|days?)|(h|hrs?|hours?)|(m|mins?|minutes?)|(s|secs?|seconds?))(?![a-z])\s*",
    re.IGNORECASE,
)
# Enough for every sensible duration, and too little to overflow a float.
MAX_LENGTH = 100
HINT = "Write it like 90s, 5m or 2h 30m."


def parse_duration(text: str) -> int:
    """Whole seconds meant by `text`.

    Raises ValueError with a sentence for the person who typed it.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ValueError(f"That is too long for a duration. {HINT}")
    if re.fullmatch(r"\d+", text):
        return int(text)
    position, seconds = 0, 0.0
    while position < len(text):
        part = _PART.match(text, position)
        if not part or part.end() == position:
            raise ValueError(f"{shown(text)} is not a duration. {HINT}")
        seconds += float(part[1]) * _UNITS[(part.lastindex or 0) - 2]
        position = part.end()
    if not text:
        raise ValueError(HINT)
    return round(seconds)


def format_duration(seconds: int) -> str:
    """The shortest text that `parse_duration` reads back as `seconds`."""
    if seconds == 0:
        return "0s"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)
