"""Words and numbers on charts."""

import math

from studio import formatting
from sweeps.domain.space import Scalar

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MISSING = formatting.MISSING
_MINUS = formatting.MINUS


def escape(text: str) -> str:
    """`text` so that Plotly, which reads pseudo-HTML and entities, shows it as it is."""
    return text.translate(_MARKUP)


def in_space(text: str) -> str:
    """An escaped text for an axis in space, where Plotly reads its tags but no entities.

    A "<" that is meant gets a space of no width behind it, so that it begins no tag.
    """
    return text.replace("&lt;", "<\u200b").replace("&gt;", ">").replace("&amp;", "&")


def objective_text(value: float | None) -> str:
    """An objective or metric value: six significant digits, "–" when there is none."""
    return MISSING if value is None or not math.isfinite(value) else formatting.objective(value)


def param_text(value: Scalar | None) -> str:
    """A parameter: floats with four significant digits, whole numbers bare, None as "none"."""
    return formatting.param(value)


class Shown(str):
    """A rounded text for the screen, with what a file has in its place."""

    exact: str

    def __new__(cls, text: str, exact: str) -> "Shown":
        made = super().__new__(cls, text)
        made.exact = exact
        return made


def exact_text(text: str) -> str:
    """What a file has in place of a text on the screen."""
    return text.exact if isinstance(text, Shown) else text


def in_seconds(name: str) -> str:
    """The head of a column of durations; files say the unit."""
    return Shown(name, f"{name} (s)")


def with_exact(text: str, value: Scalar | None) -> str:
    """`text` for the screen; for files the number to its last digit, or nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Shown(text, "")
    if isinstance(value, bool | str):
        return text
    return Shown(text, repr(float(value)) if isinstance(value, float) else str(value))


def tick_text(value: float, decimals: int | None = None) -> str:
    """A round number beside an axis: 0.001, 1e-6, 20000; `decimals` aligns linear ticks."""
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    elif decimals is not None:
        text = f"{value:.{decimals}f}"
    else:
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return text.replace("-", _MINUS, 1) if value < 0 else text


def duration_text(seconds: float | None) -> str:
    """48 s, 2m 55s, 1h 46m; "" when there is none."""
    return "" if seconds is None else formatting.duration(seconds)


def wrap_name(name: str, width: int = 22) -> list[str]:
    """A long name in lines of at most `width` characters, broken after _ . - / where possible."""
    lines, rest = [], name
    while len(rest) > width:
        cut = max(rest.rfind(mark, width // 3, width) for mark in "_.-/ ") + 1 or width
        lines.append(rest[:cut])
        rest = rest[cut:]
    return [*lines, rest]


def plural(count: int, noun: str) -> str:
    """ "1 trial", "53 trials"."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def not_enough(have: str, needed: int, final: bool) -> str:
    """Why a chart is not drawn: what there is, and how many more trials it takes."""
    yet, far = ("", "") if final else (" yet", " so far")
    return f"Not enough data{yet}: {have}{far}, {plural(needed, 'more trial')} needed."
