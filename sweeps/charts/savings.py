"""What early termination saved: how long each terminated trial took, below the usual."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from sweeps.charts.clock import time_axis
from sweeps.charts.figure import Figure, Key, Table, axis, base_layout, whole_step
from sweeps.charts.text import duration_text, in_seconds, objective_text, plural, with_exact

# More dots than this hide each other: then bars say how many took how long.
MOST_STEMS = 300
BINS = 40


class Stopped(NamedTuple):
    """A terminated trial: seconds it took and saved, values it logged, its best one. `out`: the
    selection leaves it out."""

    number: int
    took: float
    saved: float
    reports: int
    objective: float | None
    out: bool = False


class SavingsInfo(NamedTuple):
    """What a chart of savings draws; `usual` is the median of completed trials in seconds."""

    metric: str
    stopped: tuple[Stopped, ...]
    usual: float
    empty: str | None
    note: str
    summary: str

    @property
    def table(self) -> Table:
        """Every terminated trial."""
        header = ("Trial", *map(in_seconds, ("Took", "Saved")), "Values logged", self.metric)
        rows = (
            (
                str(one.number),
                with_exact(duration_text(one.took), one.took),
                with_exact(duration_text(one.saved), one.saved),
                str(one.reports),
                with_exact(objective_text(one.objective), one.objective),
            )
            for one in self.stopped
        )
        return Table(header, tuple(rows))

    @property
    def legend(self) -> tuple[Key, ...]:
        mark: Literal["diamond", "line"] = "diamond" if len(self.stopped) <= MOST_STEMS else "line"
        return (
            Key(mark, "@violet-mark", "early-terminated", "EarlyTerminated"),
            Key("dash", "@green-mark", "median of completed trials"),
        )


class Totals(NamedTuple):
    """Figures of all terminated trials together, as in `domain.savings.Savings`."""

    saved_s: float
    share: float
    usual_s: float
    unlogged: int
    completed: int
    ahead: int
    leading: int


def build_savings_info(
    stopped: Sequence[Stopped],
    totals: Totals | None,
    *,
    metric: str,
    policy: str,
    final: bool,
) -> SavingsInfo:
    """What to draw; `policy` in words ("" without one), `totals` None without a completed trial."""
    why = _empty(len(stopped), totals, policy, final)
    if why or totals is None:
        return SavingsInfo(metric, (), 0.0, why, "", why or "")
    saved = f"about {duration_text(totals.saved_s)} saved, {100 * totals.share:.0f} % of the work"
    binned = f"; {len(stopped):,} trials in bars" if len(stopped) > MOST_STEMS else ""
    few = "; few completed trials to go by" if totals.completed < 5 else ""
    return SavingsInfo(
        metric=metric,
        stopped=tuple(stopped),
        usual=totals.usual_s,
        empty=None,
        note=saved + few + binned,
        summary=_summary(len(stopped), totals, metric),
    )


def _empty(stopped: int, totals: Totals | None, policy: str, final: bool) -> str | None:
    if not stopped and not policy:
        return "This sweep has no early-termination policy."
    if not stopped:
        return f"No trial {'was' if final else 'has been'} terminated early ({policy})."
    if totals is None:
        ended = "completed" if final else "has completed yet"
        return (
            f"{plural(stopped, 'trial')} terminated early; none {ended}, so there is nothing to "
            "measure the saving by."
        )
    return None


def _summary(stopped: int, totals: Totals, metric: str) -> str:
    return (
        f"{plural(stopped, 'trial')} terminated early. Measured by the median of "
        f"{plural(totals.completed, 'completed trial')} ({duration_text(totals.usual_s)}) they "
        f"saved about {duration_text(totals.saved_s)} and {plural(totals.unlogged, 'value')} not "
        f"logged. When they ended, {totals.ahead} of them had a better {metric} than the median of "
        f"the completed trials, {totals.leading} a better one than their best."
    )


# --- How ----------------------------------------------------------------------------------------


def savings_figure(info: SavingsInfo) -> Figure:
    """The Plotly figure of `info`: dots at what trials took, stems up to what is usual."""
    top = 1.12 * max([one.took for one in info.stopped] + [info.usual, 1e-3])
    if len(info.stopped) > MOST_STEMS:
        return _histogram(info, top)
    last = max((one.number for one in info.stopped), default=1)
    layout = base_layout(left=62, revision="savings")
    layout["xaxis"] = axis("Trial", range=[-0.02 * last - 0.8, 1.02 * last + 0.8])
    layout["xaxis"] |= {"tick0": 0, "dtick": whole_step(last, 8)}
    layout["yaxis"] = axis("Time taken", range=[0, top], showgrid=True) | time_axis(top, 5)
    layout["shapes"], layout["annotations"] = [], []
    if info.stopped:
        _usual(layout, info.usual)
    return {"data": _traces(info), "layout": layout}


def _usual(layout: dict[str, Any], usual: float, along: Literal["x", "y"] = "y") -> None:
    """The median of completed trials, as a line across the axis of times."""
    across = "y" if along == "x" else "x"
    line = {"color": "@green-mark", "width": 1.6, "dash": "dash"}
    place: dict[str, Any] = {f"{along}ref": along, f"{along}0": usual, f"{along}1": usual}
    place |= {f"{across}ref": "paper", f"{across}0": 0, f"{across}1": 1}
    layout["shapes"].append({"type": "line", **place, "line": line})
    words: dict[str, Any] = {along: usual, across: 1, f"{along}ref": along, f"{across}ref": "paper"}
    anchors = {"xanchor": "right", "yanchor": "top" if along == "x" else "bottom"}
    font = {"size": 11, "color": "@muted"}
    text = f"median {duration_text(usual)}"
    layout["annotations"].append(words | anchors | {"showarrow": False, "text": text, "font": font})


def _traces(info: SavingsInfo) -> list[dict[str, Any]]:
    kept = [one for one in info.stopped if not one.out]
    traces = [_stems([one for one in kept if one.saved > 0], info.usual)]
    for out in (True, False):
        dots = [one for one in info.stopped if one.out == out]
        if dots:
            traces.append(_dots(dots, out))
    return traces


def _stems(stopped: Sequence[Stopped], usual: float) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for one in stopped:
        x += [one.number, one.number, None]
        y += [one.took, usual, None]
    line = {"color": "@violet-mark", "width": 1.5}
    stems = {"type": "scatter", "uid": "stems", "mode": "lines", "x": x, "y": y, "line": line}
    return stems | {"opacity": 0.4, "connectgaps": False}


def _dots(dots: Sequence[Stopped], out: bool) -> dict[str, Any]:
    color = "@border" if out else "@violet-mark"
    return {
        "type": "scatter",
        "uid": "stopped-out" if out else "stopped",
        "mode": "markers",
        "x": [one.number for one in dots],
        "y": [one.took for one in dots],
        "customdata": [one.number for one in dots],
        "marker": {"symbol": "diamond-open", "size": 9, "color": color}
        | {"line": {"width": 1.7, "color": color}},
        "cliponaxis": False,
    }


def _histogram(info: SavingsInfo, top: float) -> Figure:
    """Of very many trials how many took how long; the selection makes no difference there."""
    width = top / BINS
    counts = [0] * BINS
    for one in info.stopped:
        counts[min(int(one.took / width), BINS - 1)] += 1
    layout = base_layout(left=58, revision="savings-many")
    layout["xaxis"] = axis("Time taken", range=[0, top]) | time_axis(top, 6)
    high = 1.15 * max(counts)
    layout["yaxis"] = axis("Terminated trials", range=[0, high], showgrid=True, fixedrange=True)
    layout["yaxis"] |= {"tick0": 0, "dtick": whole_step(high, 6)}
    layout["bargap"] = 0.08
    layout["shapes"], layout["annotations"] = [], []
    _usual(layout, info.usual, "x")
    bars = {
        "type": "bar",
        "uid": "stopped-bars",
        "x": [(k + 0.5) * width for k in range(BINS)],
        "y": counts,
        "width": [0.92 * width] * BINS,
        "marker": {"color": "@violet-mark"},
    }
    return {"data": [bars], "layout": layout}
