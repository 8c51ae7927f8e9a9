"""Words and numbers on charts."""

import math
from datetime import timedelta

from sweeps.domain.space import Scalar

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MISSING = "–"
_MINUS = "−"


def escape(text: str) -> str:
    """`text` so that Plotly, which reads pseudo-HTML and entities, shows it as it is."""
    return text.translate(_MARKUP)


def objective_text(value: float | None) -> str:
    """An objective or metric value: six significant digits, "–" when there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    return _significant(value, 6)


def param_text(value: Scalar | None) -> str:
    """A parameter: floats with four significant digits, whole numbers bare, None as "none"."""
    if value is None:
        return "none"
    if isinstance(value, bool | str):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**9 else tick_text(float(value))
    return _significant(value, 4)


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    # Rounded first: 0.9999999 has the exponent of 1.
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    if exponent < -3 or exponent >= digits + 3:
        mantissa = f"{value:.{max(digits - 2, 2)}e}".partition("e")[0]
        return f"{mantissa}e{exponent}"
    return f"{value:.{max(digits - 1 - exponent, 0)}f}"


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
    """48 s, 2m 55s, 1h 46m."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(timedelta(seconds=seconds).total_seconds())
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    return f"{whole // 3600}h {whole % 3600 // 60}m"


def wrap_name(name: str, width: int = 22) -> list[str]:
    """A long name in lines of at most `width` characters, broken after _ . - / where possible."""
    lines, rest = [], name
    while len(rest) > width:
        cut = max(rest.rfind(mark, 8, width) for mark in "_.-/ ") + 1 or width
        lines.append(rest[:cut])
        rest = rest[cut:]
    return [*lines, rest]


def plural(count: int, noun: str) -> str:
    """ "1 trial", "53 trials"."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"
