"""A metric over steps or reports: one line per trial, or per metric of one trial."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from sweeps.charts.decimate import MAX_POINTS, Point, decimate
from sweeps.charts.figure import Key, Table
from sweeps.charts.marks import trial_color, trial_dash
from sweeps.charts.smoothing import Quantiles, smoothed
from sweeps.charts.text import duration_text, in_seconds, objective_text, plural, with_exact
from sweeps.charts.value_axis import YScale, resolve_scale
from sweeps.domain.objective import Objective
from sweeps.domain.records import MetricPoint
from sweeps.domain.states import TrialStatus

XAxis = Literal["report", "step", "time", "trial"]
Mode = Literal["best", "selected", "all"]
EndMark = Literal["star", "circle", "diamond", "none"]
BEST_COUNT = 5
MAX_LABELS = 8


class TrialCurve(NamedTuple):
    """What is known of one trial's metric; `objective` ranks it among the others, `started_s` is
    when it began (seconds since the epoch)."""

    number: int
    status: TrialStatus
    points: Sequence[MetricPoint]
    objective: float | None = None
    started_s: float | None = None
    # Stands at its end in place of the number: among trials of several sweeps.
    label: str = ""


class CurveLine(NamedTuple):
    """A line as drawn: (x, value) points, None for a value that is no finite number.

    `star_at` is the point of the best value, where a star stands; None: at the end.
    """

    number: int
    label: str
    points: tuple[Point, ...]
    color: str
    dash: str
    strong: bool
    end: EndMark
    star_at: tuple[float, float] | None = None
    # What it was smoothed from, faint behind it; empty where it was not.
    raw: tuple[Point, ...] = ()

    @property
    def last(self) -> tuple[float, float] | None:
        """The last point that has a value."""
        return next(((x, y) for x, y in reversed(self.points) if y is not None), None)


class CurvesInfo(NamedTuple):
    """What a chart of curves draws; the last of `lines` is on top."""

    metric: str
    x: XAxis
    scale: str
    lines: tuple[CurveLine, ...]
    labelled: bool
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]
    table: Table
    quantiles: Quantiles | None = None


def build_curves_info(
    curves: Iterable[TrialCurve],
    metric: str,
    objective: Objective,
    *,
    best: int | None,
    mode: Mode = "best",
    selected: Sequence[int] = (),
    x: XAxis = "report",
    scale: YScale = "auto",
    own_colors: bool = False,
    count: int = BEST_COUNT,
    smooth: float = 0.0,
    of: int = 0,
    quantiles: Quantiles | None = None,
    filtered: bool = False,
    others: bool = False,
    final: bool = False,
) -> CurvesInfo:
    """Curves of `metric`, one per trial: the best `count`, the `selected`, or all of them.

    `best` is the best trial's number: drawn last, wider, with a star, and in the reserved colour
    unless `own_colors` (comparing trials, where every one keeps its own). `smooth` from 0 (not) to
    below 1; `of` how many trials there are where only some of all are given, whose `quantiles` lie
    on top. `filtered`: a selection may leave trials out; `others`: there are trials of which none
    counts as best. `final`: no more values come.
    """
    known = list(curves)
    chosen = _choose(known, objective, best, mode, selected, count)
    lines = [_trial_line(curve, best, x, own_colors) for curve in chosen]
    lines = [_starred(line, objective) for line in lines]
    bare = sum(line.last is None for line in lines)
    lines = [line for line in lines if line.last is not None]
    lines.sort(key=lambda line: (line.number == best, 0 if own_colors else -line.number))
    if smooth:
        lines = [_smoothed(line, smooth) for line in lines]
    lines, cut = _decimated(lines)
    words = {"best": f"best {len(lines)}", "selected": "selected trials", "all": "all trials"}
    if of > len(lines) and mode != "best":
        words[mode] = f"{len(lines)} of {of:,} trials, from the best to the worst"
    if bare and lines:
        words[mode] += f", {bare} without finite values left out"
    if smooth:
        words[mode] += f", smoothed by {smooth:g}, raw values faint"
    info = _info(
        metric,
        x,
        scale,
        lines,
        note=words[mode] + (_CUT if cut else ""),
        empty=_nothing(
            metric, mode, filtered=filtered, others=others, any_known=bool(known), final=final
        ),
    )
    if not lines or quantiles is None:
        return info
    return info._replace(quantiles=quantiles, legend=(*info.legend, *quantiles.keys))


def _nothing(
    metric: str, mode: Mode, *, filtered: bool, others: bool, any_known: bool, final: bool
) -> str:
    """Why no curve is drawn."""
    if others and mode == "best" and not any_known:
        return f"No trial with values of {metric} has completed; “all” draws the others."
    if filtered and not any_known:
        return f"No trial of the selection has values of {metric}."
    if mode == "selected" and not any_known:
        return _NOTHING_SELECTED
    # What a bundle brought in has each trial's last and best values, and no others.
    return f"No values of {metric} {'over time were kept' if final else 'yet'}."


def _smoothed(line: CurveLine, weight: float) -> CurveLine:
    """The star of the best value stays where that value was logged."""
    return line._replace(points=tuple(smoothed(line.points, weight)), raw=line.points)


def _decimated(lines: Sequence[CurveLine]) -> tuple[list[CurveLine], bool]:
    """Lines of so many points as a screen shows, and whether any lost some."""
    thinned = [
        line._replace(points=tuple(decimate(line.points)), raw=tuple(decimate(line.raw)))
        for line in lines
    ]
    cut = any(len(a.points) < len(b.points) for a, b in zip(thinned, lines, strict=True))
    return thinned, cut


def build_trial_curves_info(
    number: int,
    status: TrialStatus,
    metrics: Mapping[str, Sequence[MetricPoint]],
    *,
    primary: str,
    is_best: bool = False,
    x: XAxis = "report",
    scale: YScale = "auto",
    title: str = "",
    objective: Objective | None = None,
) -> CurvesInfo:
    """Metrics of one trial in its colour, told apart by dash; the primary one on top.

    Give one metric at a time for small multiples. `title` names the y axis (else the metric, when
    there is one).
    """
    others = [name for name in metrics if name != primary]
    lines = []
    for i, name in enumerate([*others, *(n for n in metrics if n == primary)]):
        main = name == primary
        end: EndMark = "star" if main and is_best else "none"
        dash = "solid" if main or len(metrics) == 1 else _dash(i + 1)
        points = _points(metrics[name], x)
        lines.append(CurveLine(number, name, points, trial_color(number), dash, main, end))
    lines = [_starred(line, objective) for line in lines if line.last is not None]
    lines, cut = _decimated(lines)
    name = title or (next(iter(metrics)) if len(metrics) == 1 else "value")
    waiting = f"No value yet. Waiting for {primary}."
    is_any = any(metrics.values())
    ended = f"Trial {number} logged no {'finite value of ' + name if is_any else 'metric'}."
    return _info(
        name,
        x,
        scale,
        lines,
        note=f"trial {number}" + (_CUT if cut else ""),
        empty=ended if status.is_final else waiting,
    )


_CUT = f", thinned to {MAX_POINTS} points a line, peaks kept"
_NOTHING_SELECTED = "No trial is selected. Tick some in the table."


def _dash(i: int) -> str:
    return ("solid", "dash", "dot", "dashdot")[i % 4]


def _choose(
    known: Sequence[TrialCurve],
    objective: Objective,
    best: int | None,
    mode: Mode,
    selected: Sequence[int],
    count: int,
) -> Sequence[TrialCurve]:
    if mode == "all":
        return known
    if mode == "selected":
        order = {number: i for i, number in enumerate(selected)}
        return sorted((c for c in known if c.number in order), key=lambda c: order[c.number])

    def rank(curve: TrialCurve) -> tuple[bool, float, int]:
        value = curve.objective
        loss = math.inf if value is None else objective.loss(value)
        return curve.number != best, loss, curve.number

    return sorted(known, key=rank)[:count]


def _trial_line(curve: TrialCurve, best: int | None, x: XAxis, own_colors: bool) -> CurveLine:
    is_best = curve.number == best
    plain = is_best and not own_colors
    end: EndMark = "star" if is_best else _END.get(curve.status, "none")
    return CurveLine(
        number=curve.number,
        label=curve.label or f"#{curve.number}",
        points=_points(curve.points, x, curve.started_s),
        color="@best" if plain else trial_color(curve.number),
        dash="solid" if plain else trial_dash(curve.number),
        strong=is_best,
        end=end,
    )


def _starred(line: CurveLine, objective: Objective | None) -> CurveLine:
    """The star marks the value that counts: the best one, not the last."""
    if line.end != "star" or objective is None:
        return line
    valued = [(x, y) for x, y in line.points if y is not None]
    best = min(valued, key=lambda point: objective.loss(point[1]), default=None)
    return line._replace(star_at=best)


_END: Mapping[TrialStatus, EndMark] = {
    TrialStatus.COMPLETED: "circle",
    TrialStatus.EARLY_TERMINATED: "diamond",
}


def _points(
    points: Iterable[MetricPoint], x: XAxis, started_s: float | None = None
) -> tuple[Point, ...]:
    logged = list(points)
    began = started_s
    if began is None:
        began = min((p.timestamp_ms for p in logged), default=0) / 1000
    places: Mapping[str, Callable[[MetricPoint], float]] = {
        "report": lambda p: p.report,
        "step": lambda p: p.step,
        "trial": lambda p: p.step,
        "time": lambda p: round(max(p.timestamp_ms / 1000 - began, 0.0), 2),
    }
    place = places[x]
    placed: list[Point] = [(place(p), p.value if math.isfinite(p.value) else None) for p in logged]
    # A script may log its steps out of order; a line that runs backwards says nothing.
    return tuple(sorted(placed, key=lambda point: point[0]))


def _head(x: XAxis) -> str:
    return in_seconds(x.capitalize()) if x == "time" else x.capitalize()


def _info(
    metric: str, x: XAxis, scale: YScale, lines: Sequence[CurveLine], *, note: str, empty: str
) -> CurvesInfo:
    values = [y for line in lines for _, y in line.points if y is not None]
    drawn = resolve_scale(scale, values)
    labelled = len(lines) <= MAX_LABELS
    rows = [
        (line.label, _place_cell(x, at), with_exact(objective_text(value), value))
        for line in lines
        for at, value in line.points
    ]
    return CurvesInfo(
        metric=metric,
        x=x,
        scale=drawn,
        lines=tuple(lines),
        labelled=labelled,
        empty=None if lines else empty,
        note=note if lines else "",
        summary=_summary(metric, x, lines),
        legend=() if labelled else _legend(lines),
        table=Table(("Line", _head(x), metric), tuple(rows)),
    )


def _place_text(x: XAxis, at: float) -> str:
    return duration_text(at) if x == "time" else f"{at:.10g}"


def _place_cell(x: XAxis, at: float) -> str:
    return with_exact(_place_text(x, at), at) if x == "time" else _place_text(x, at)


X_TITLES: Mapping[XAxis, str] = {
    "report": "Report",
    "step": "Step",
    "time": "Time since the trial's start",
    "trial": "Ended trials",
}


def _legend(lines: Sequence[CurveLine]) -> tuple[Key, ...]:
    """Beyond eight lines labels would collide; beyond forty so many keys say nothing either."""
    if len(lines) > 40:
        return tuple(Key("line", line.color, line.label) for line in lines if line.strong)
    marks: Mapping[str, Literal["line", "dash", "dot"]] = {"dash": "dash", "dot": "dot"}
    return tuple(
        Key(marks.get(line.dash, "line"), line.color, line.label) for line in reversed(lines)
    )


def _summary(metric: str, x: XAxis, lines: Sequence[CurveLine]) -> str:
    ends = [
        f"{line.label} ends at {objective_text(line.last[1])} ({x} {_place_text(x, line.last[0])})"
        for line in lines[::-1][:MAX_LABELS]
        if line.last
    ]
    over = "time" if x == "time" else f"{x}s"
    return f"{metric} over {over}, {plural(len(lines), 'line')}: " + "; ".join(ends) + "."
