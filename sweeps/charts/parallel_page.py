"""What the page needs to know of the axes of parallel coordinates, to brush and to move them."""

from typing import Any

from sweeps.charts.parallel_axes import AxisChoice
from sweeps.charts.parallel_coordinates import ABSENT, ParallelInfo


def absent_text(is_objective: bool) -> str:
    """The tick of trials that have no place on an axis."""
    return "no value" if is_objective else "none"


def page_meta(info: ParallelInfo) -> dict[str, Any]:
    """`axes` as they stand from left to right, `choices` all there are in their declared order,
    `absent` the place of what is missing."""
    axes = [_axis(choice, info.absent[i]) for i, choice in enumerate(info.shown)]
    choices = [
        {
            "name": choice.axis.name,
            "key": choice.key,
            "word": choice.word,
            "shown": choice.shown,
            "constant": choice.constant,
            "objective": choice.is_objective,
        }
        for choice in info.choices
    ]
    return {"axes": axes, "choices": choices, "absent": ABSENT}


def _axis(choice: AxisChoice, absent: bool) -> dict[str, Any]:
    axis = choice.axis
    known: dict[str, Any] = {
        "name": axis.name,
        "key": choice.key,
        "word": choice.word,
        "kind": axis.kind,
        "scale": axis.scale.kind,
        "objective": choice.is_objective,
        "absent": absent,
        "absentText": absent_text(choice.is_objective),
    }
    if axis.scale.kind == "category":
        pairs = zip(axis.scale.categories, axis.words, strict=True)
        return known | {"categories": [{"text": text, "words": list(own)} for text, own in pairs]}
    ticks = axis.scale.ticks()
    return known | {
        "low": axis.scale.low,
        "high": axis.scale.high,
        "integer": axis.scale.integer,
        "lowText": ticks[0].text if ticks else "",
        "highText": ticks[-1].text if ticks else "",
    }
