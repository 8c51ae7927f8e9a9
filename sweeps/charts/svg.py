"""Charts as SVG without a script: what the static pictures share.

Colours are names of CSS tokens, as in figures; the page that holds the picture defines them, so
that one picture serves both themes. Every text is escaped here.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from sweeps.charts.scales import Tick

WIDTH = 960
_RAMP = re.compile(r"@ramp-([01]\.\d\d)")
_DASHES = {"dash": "6 4", "dot": "2 3", "dashdot": "7 3 2 3"}


class Box(NamedTuple):
    """The plot's corners in the picture; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def x(self, share: float) -> float:
        """Across, from 0 to 1."""
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, share: float) -> float:
        """Up, from 0 to 1."""
        return round(self.bottom - share * (self.bottom - self.top), 1)


def color(token: str) -> str:
    """The CSS colour of a token; one on the ramp lies between three."""
    found = _RAMP.fullmatch(token)
    if not found:
        return f"var(--{token.removeprefix('@')})"
    share = float(found[1]) * 2
    low = min(int(share), 1)
    percent = round((share - low) * 100)
    return f"color-mix(in oklab, var(--ramp-{low + 1}) {percent}%, var(--ramp-{low}))"


def picture(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """The whole picture; `label` tells it to those who do not see it."""
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def text(
    x: float, y: float, content: str, anchor: str = "start", cls: str = "", turn: bool = False
) -> str:
    """A text; `turn` writes it upwards."""
    turned = f' transform="rotate(-90 {x:g} {y:g})"' if turn else ""
    named = f' class="{cls}"' if cls else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{named}{turned}>{escape(content)}</text>'
    )


def path(
    d: str, stroke: str, width: float = 1.4, *, dash: str = "solid", fill: str = "none",
    opacity: float = 1.0,
) -> str:  # fmt: skip
    """A path in a token's colour."""
    dashes = f' stroke-dasharray="{_DASHES[dash]}"' if dash in _DASHES else ""
    faint = f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
    filled = color(fill) if fill != "none" else "none"
    return (
        f'<path d="{d}" style="stroke:{color(stroke)};fill:{filled}" stroke-width="{width:g}" '
        f'stroke-linecap="round" stroke-linejoin="round"{dashes}{faint}/>'
    )


def polyline(points: Sequence[tuple[float, float] | None]) -> str:
    """Path data through the points; None lifts the pen."""
    found, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            found.append(f"{pen}{point[0]:g} {point[1]:g}")
            pen = "L"
    return "".join(found)


def marks(shape: str, spots: Iterable[tuple[float, float]]) -> str:
    """Path data of one shape (disc, ring, diamond, triangle, cross) at many spots."""
    d = _SHAPES[shape]
    return "".join(d.format(x=f"{x:g}", y=f"{y:g}") for x, y in spots)


_SHAPES = {
    "disc": "M{x} {y}h0",
    "ring": "M{x} {y}m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0",
    "diamond": "M{x} {y}m0-4.5l4.5 4.5l-4.5 4.5l-4.5-4.5z",
    "triangle": "M{x} {y}m0-4.5l4.5 8h-9z",
    "cross": "M{x} {y}m-3-3l6 6m0-6l-6 6",
}
_STAR = "m0-7.5l2.2 4.6 5 .7-3.6 3.5.9 5-4.5-2.4-4.5 2.4.9-5-3.6-3.5 5-.7z"


def star(x: float, y: float) -> str:
    """The best one's mark."""
    return path(f"M{x:g} {y:g}{_STAR}", "@surface", 1, fill="@best")


def value_axis(box: Box, ticks: Iterable[Tick], name: str) -> list[str]:
    """Hairlines with their values left of them, and the axis's name upwards."""
    parts = []
    for tick in ticks:
        y = box.y(tick.position)
        parts.append(path(f"M{box.left:g} {y:g}H{box.right:g}", "@grid", 1))
        parts.append(text(box.left - 8, y + 4, tick.text, "end", "tick"))
    parts.append(path(f"M{box.left:g} {box.top:g}V{box.bottom:g}", "@axis", 1))
    parts.append(text(14, (box.top + box.bottom) / 2, name, "middle", "name", turn=True))
    return parts


def base_axis(box: Box, ticks: Iterable[Tick], name: str) -> list[str]:
    """The line below the plot, its values and its name."""
    parts = [path(f"M{box.left:g} {box.bottom:g}H{box.right:g}", "@axis", 1)]
    for tick in ticks:
        parts.append(text(box.x(tick.position), box.bottom + 17, tick.text, "middle", "tick"))
    parts.append(text((box.left + box.right) / 2, box.bottom + 36, name, "middle", "name"))
    return parts
