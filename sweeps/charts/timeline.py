"""When trials ran: a bar each in the slot they took, or of very many the slots busy over time."""

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.clock import time_axis
from sweeps.charts.figure import Figure, Key, Table, axis, base_layout, whole_step
from sweeps.charts.marks import MARKS, STATUS_WORDS
from sweeps.charts.text import duration_text, in_seconds, plural, with_exact
from sweeps.domain.board import Floats
from sweeps.domain.occupancy import busy, pack, peak
from sweeps.domain.states import TrialStatus

# More bars than this are no picture any more.
MOST_BARS = 1_000
BINS = 240
# Shorter bars than this share of the whole are drawn so long, or nobody would see them.
_SHORTEST = 0.0015
_PLOT_PX = 260.0


class Run(NamedTuple):
    """One attempt: seconds since the first one began; `end` is now for one that runs.

    `waited` is how long the trial had waited for it, None where nobody knows; `out`: the selection
    leaves the trial out.
    """

    number: int
    attempt: int
    status: TrialStatus
    start: float
    end: float
    waited: float | None = None
    out: bool = False


class TimelineInfo(NamedTuple):
    """What a timeline draws. `lanes` has the lane of each run from 0, `steps` the busy slots of
    each bin between two `edges`: one of both is empty."""

    runs: tuple[Run, ...]
    lanes: tuple[int, ...]
    edges: tuple[float, ...]
    steps: tuple[float, ...]
    slots: int
    end: float
    empty: str | None
    note: str
    summary: str

    @property
    def table(self) -> Table:
        """Every attempt with its times, or every bin."""
        if self.steps:
            rows = zip(self.edges, self.edges[1:], self.steps, strict=False)
            return Table(
                (in_seconds("From"), in_seconds("To"), "Slots busy", "Share"),
                tuple(
                    (
                        with_exact(duration_text(a), a),
                        with_exact(duration_text(b), b),
                        with_exact(f"{n:.2f}", n),
                        _percent(n / self.slots),
                    )
                    for a, b, n in rows
                ),
            )
        return Table(
            (
                *("Trial", "Attempt", "Status", "Slot"),
                *map(in_seconds, ("Began after", "Took", "Waited for it")),
            ),
            tuple(
                (
                    str(run.number),
                    str(run.attempt),
                    STATUS_WORDS[run.status],
                    str(lane + 1),
                    with_exact(duration_text(run.start), run.start),
                    with_exact(duration_text(run.end - run.start), run.end - run.start),
                    with_exact(duration_text(run.waited) or "–", run.waited),
                )
                for run, lane in zip(self.runs, self.lanes, strict=True)
            ),
        )

    @property
    def legend(self) -> tuple[Key, ...]:
        if self.steps:
            return (
                Key("line", "@primary", "slots busy with trials of this sweep"),
                Key("dash", "@muted", f"{plural(self.slots, 'slot')} it may use"),
            )
        present = {run.status for run in self.runs}
        return tuple(
            Key("line", mark.color, STATUS_WORDS[status].lower(), status.value)
            for status, mark in MARKS.items()
            if status in present
        )


def build_timeline_info(runs: Sequence[Run], *, slots: int, final: bool) -> TimelineInfo:
    """A bar for each run; `slots` is how many the sweep may use at once."""
    if not runs:
        return _nothing(final)
    ordered = sorted(runs, key=lambda run: (run.start, run.number, run.attempt))
    lanes = pack([run.start for run in ordered], [run.end for run in ordered])
    count = max(slots, max(lanes) + 1)
    end = max(max(run.end for run in ordered), 1e-3)
    spent = sum(run.end - run.start for run in ordered)
    share = spent / (count * end)
    waits = [run.waited for run in ordered if run.waited is not None]
    waited = f"; half of them waited {duration_text(median(waits))} or more" if waits else ""
    used = f"{_percent(share)} of {plural(count, 'slot')} used over {duration_text(end)}"
    return TimelineInfo(
        runs=tuple(ordered),
        lanes=tuple(lanes),
        edges=(),
        steps=(),
        slots=count,
        end=end,
        empty=None,
        note=used,
        summary=f"{plural(len(ordered), 'attempt')} of trials: {used}{waited}.",
    )


def build_busy_info(
    starts: Floats, ends: Floats, *, trials: int, slots: int, final: bool
) -> TimelineInfo:
    """How many slots were busy over time, where bars would be too many; seconds since the first
    trial began."""
    if not len(starts):
        return _nothing(final)
    end = max(float(ends.max()), 1e-3)
    count = max(slots, peak(starts, ends))
    edges = np.linspace(0.0, end, BINS + 1)
    share = float((ends - starts).sum()) / (count * end)
    used = f"{_percent(share)} of {plural(count, 'slot')} used over {duration_text(end)}"
    return TimelineInfo(
        runs=(),
        lanes=(),
        edges=tuple(edges.tolist()),
        steps=tuple(busy(starts, ends, edges).tolist()),
        slots=count,
        end=end,
        empty=None,
        note=f"{used}; {trials:,} trials are too many for bars, so {BINS} steps of their mean",
        summary=f"{plural(trials, 'trial')}: {used}.",
    )


def _nothing(final: bool) -> TimelineInfo:
    why = "No trial was run." if final else "No trial has started yet."
    return TimelineInfo((), (), (), (), 1, 1.0, why, "", why)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


# --- How ----------------------------------------------------------------------------------------


def timeline_figure(info: TimelineInfo) -> Figure:
    """The Plotly figure of `info`."""
    layout = base_layout(left=48, right=18, revision="timeline")
    air = 0.01 * info.end
    layout["xaxis"] = axis("Since the first trial began", range=[-air, info.end + air])
    layout["xaxis"] |= time_axis(info.end, 6)
    if info.steps:
        return {"data": _busy(info), "layout": layout | _busy_axes(info)}
    # Many lanes: only some are numbered.
    step = whole_step(info.slots, 12)
    layout["yaxis"] = axis("Slot", range=[info.slots + 0.6, 0.4], fixedrange=True)
    layout["yaxis"] |= {
        "tickmode": "array",
        "tickvals": [n for n in range(1, info.slots + 1) if n == 1 or n % step == 0],
    }
    # A card beside a bar says what the trial is, not where on the bar the pointer is.
    layout["meta"] = {"bars": True}
    return {"data": _bars(info), "layout": layout}


def _bars(info: TimelineInfo) -> list[dict[str, Any]]:
    """Thick lines, one trace per status: they are hit and emphasised as curves are."""
    width = min(max(0.68 * _PLOT_PX / info.slots, 1.5), 16.0)
    groups: dict[tuple[bool, TrialStatus], list[tuple[Run, int]]] = {}
    for run, lane in zip(info.runs, info.lanes, strict=True):
        groups.setdefault((run.out, run.status), []).append((run, lane))
    order = list(MARKS)
    ordered = sorted(groups, key=lambda key: (not key[0], order.index(key[1])))
    return [_bar_trace(groups[key], key, width, info.end * _SHORTEST) for key in ordered]


def _bar_trace(
    runs: Sequence[tuple[Run, int]], key: tuple[bool, TrialStatus], width: float, shortest: float
) -> dict[str, Any]:
    out, status = key
    x: list[float | None] = []
    y: list[int | None] = []
    numbers: list[int | None] = []
    for run, lane in runs:
        # A hair shorter than it was: neighbours in a lane stay two bars.
        x += [run.start, max(run.end - 0.5 * shortest, run.start + shortest), None]
        y += [lane + 1, lane + 1, None]
        numbers += [run.number, run.number, None]
    return {
        "type": "scatter",
        "uid": f"{status.value}{'-out' if out else ''}",
        "mode": "lines",
        "x": x,
        "y": y,
        "customdata": numbers,
        "line": {"color": "@border" if out else MARKS[status].color, "width": round(width, 1)},
        "connectgaps": False,
    }


def _busy_axes(info: TimelineInfo) -> dict[str, Any]:
    top = 1.08 * info.slots
    line = {"color": "@muted", "width": 1.2, "dash": "dash"}
    place = {"xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": info.slots, "y1": info.slots}
    return {
        "yaxis": axis("Slots busy", range=[0, top], showgrid=True, fixedrange=True)
        | {"tick0": 0, "dtick": whole_step(top, 6)},
        "shapes": [{"type": "line", **place, "line": line}],
    }


def _busy(info: TimelineInfo) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter",
            "uid": "busy",
            "mode": "lines",
            "x": list(info.edges),
            "y": [*info.steps, info.steps[-1]],
            "line": {"color": "@primary", "width": 1.6, "shape": "hv"},
            "fill": "tozeroy",
            "fillcolor": "@primary-tint",
        }
    ]
