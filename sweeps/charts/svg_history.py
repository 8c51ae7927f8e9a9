"""The objective history as a static picture."""

from sweeps.charts.marks import MARKS
from sweeps.charts.objective_history import SHAPES, Dot, ObjectiveInfo, thinned
from sweeps.charts.scales import Scale, Tick, linear_ticks, numeric_scale
from sweeps.charts.svg import (
    WIDTH,
    Box,
    base_axis,
    marks,
    path,
    picture,
    star,
    text,
    value_axis,
)
from sweeps.charts.text import objective_text
from sweeps.domain.states import TrialStatus

_HEIGHT, _BARE = 330, 26
_WIDTHS = {"disc": 6.5, "cross": 1.6}


def history_svg(info: ObjectiveInfo) -> str:
    """All trials by status, the best so far as a line, the best with its value."""
    bare = any(dot.objective is None for dot in info.dots)
    box = Box(74, 18, WIDTH - 18, _HEIGHT - 46 - (_BARE if bare else 0))
    scale, last = _scale(info), max(info.total, info.planned, 1) - 1
    across = lambda number: box.x((number + 0.6) / (last + 1.2))  # noqa: E731
    floor = box._replace(bottom=box.bottom + (_BARE if bare else 0))
    ticks = [Tick((n + 0.6) / (last + 1.2), f"{n:g}") for n in linear_ticks(0, last, 10, True)]
    parts = []
    if info.to_go:
        x = across(info.planned - 0.5)
        parts.append(
            f'<rect x="{x:g}" y="{box.top:g}" width="{box.right - x:g}" '
            f'height="{floor.bottom - box.top:g}" style="fill:var(--sunken)"/>'
        )
    parts += [*value_axis(box, scale.ticks(6), info.metric), *base_axis(floor, ticks, "Trial")]
    if bare:
        y = box.bottom + _BARE / 2
        parts.append(text(box.left - 8, y + 4, "no value", "end", "tick"))
    for edit in info.edits:
        x = across(edit.number - 0.5)
        parts.append(path(f"M{x:g} {box.top:g}V{floor.bottom:g}", "@axis", 1, dash="dash"))
    place = lambda dot: (across(dot.number), _up(dot.objective, scale, box))  # noqa: E731
    groups: dict[TrialStatus, list[Dot]] = {}
    for dot in thinned(info):
        groups.setdefault(dot.status, []).append(dot)
    for status, dots in groups.items():
        mark, shape = MARKS[status], SHAPES[MARKS[status].symbol]
        width = _WIDTHS.get(shape, 1.7)
        parts.append(path(marks(shape, map(place, dots)), mark.color, width))
    parts += _best(info, scale, box, across)
    return picture(WIDTH, _HEIGHT, info.summary, parts)


def _scale(info: ObjectiveInfo) -> Scale:
    values = [dot.objective for dot in info.dots if dot.objective is not None] or [0.0, 1.0]
    low, high = min(values), max(values)
    if info.scale == "log" and low > 0:
        air = (high / low) ** 0.06
        return numeric_scale(
            max(low / air, 5e-324), min(high * air, 1.7e308), log=True, bounded=False
        )
    air = 0.07 * (high / 2 - low / 2) * 2 or abs(high) * 0.1 or 1.0
    return numeric_scale(max(low - air, -1.7e308), min(high + air, 1.7e308), bounded=False)


def _up(value: float | None, scale: Scale, box: Box) -> float:
    if value is None:
        return box.bottom + _BARE / 2
    return box.y(min(max(scale.position(value) or 0.0, 0.0), 1.0))


def _best(info: ObjectiveInfo, scale: Scale, box: Box, across: object) -> list[str]:
    if info.best is None:
        return []
    at = [(across(step.number), _up(step.value, scale, box)) for step in info.steps]  # type: ignore[operator]
    d = f"M{at[0][0]:g} {at[0][1]:g}" + "".join(f"H{x:g}V{y:g}" for x, y in at[1:])
    x, y = at[-1]
    anchor = "end" if x > box.right - 120 else "start" if x < box.left + 120 else "middle"
    words = f"#{info.best.number}  {objective_text(info.best.value)}"
    below = info.goal == "minimize" and y + 26 < box.bottom
    beside = 0
    if info.goal == "minimize" and not below:  # the line comes from above: right of it, or left
        anchor, beside = ("end", -10) if x > box.right - 120 else ("start", 10)
    return [
        path(f"{d}H{box.right:g}", "@best", 2),
        star(x, y),
        text(x + beside, y + 22 if below else y - 12, words, anchor, "best halo"),
    ]
