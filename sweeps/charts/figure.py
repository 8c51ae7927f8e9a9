"""What all figures share: frame, fonts, key, and the form in which a page gets them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from sweeps.charts.text import exact_text

Figure: TypeAlias = dict[str, Any]
Rows: TypeAlias = tuple[tuple[str, ...], ...]
FONT = "Inter, system-ui, sans-serif"


class Table(NamedTuple):
    """A chart as a table: texts only."""

    header: tuple[str, ...]
    rows: Rows


class Key(NamedTuple):
    """One entry of the legend below a chart."""

    mark: Literal[
        "line",
        "ramp",
        "star",
        "step",
        "dash",
        "dot",
        "disc",
        "ring",
        "diamond",
        "gem",
        "triangle",
        "cross",
    ]
    color: str
    text: str
    # The status that a click on the entry filters by, "" for none.
    status: str = ""
    # The key of a selection that has no value in these trials; a click filters by that.
    missing: str = ""


class Info(Protocol):
    """What every chart can say besides its drawing."""

    @property
    def empty(self) -> str | None: ...
    @property
    def note(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def table(self) -> Table: ...
    @property
    def legend(self) -> tuple[Key, ...]: ...


def payload(
    info: Info,
    figure: Figure,
    *,
    hint: str = "",
    cards: Mapping[str, Any] | None = None,
    with_table: bool = True,
) -> dict[str, Any]:
    """All a page needs to draw `figure`, fit for JSON: put it in the chart's script element.

    `note` is the half-sentence of the chart's head, `hint` the reading hint below, `cards` what
    `cards.trial_cards` gives (once per page is enough). Without its table the page asks for that
    when somebody wants to see it.
    """
    return {
        **figure,
        "data": [_with_safe_uid(trace) for trace in figure["data"]],
        "empty": info.empty,
        "note": info.note,
        "summary": info.summary,
        "hint": hint,
        "legend": [entry._asdict() for entry in info.legend],
        **(_table(info.table) if with_table else {}),
        "cards": dict(cards or {}),
    }


def _table(table: Table) -> dict[str, Any]:
    exact = Table(
        tuple(map(exact_text, table.header)),
        tuple(tuple(map(exact_text, row)) for row in table.rows),
    )
    return {"table": _listed(table), "values": _listed(exact)}


def _listed(table: Table) -> dict[str, Any]:
    return {"header": list(table.header), "rows": [list(row) for row in table.rows]}


def _with_safe_uid(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    """Plotly puts a trace's uid into a CSS selector when the trace goes away."""
    if "uid" not in trace:
        return trace
    uid = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", trace["uid"])
    return {**trace, "uid": uid}


def base_layout(
    *, left: int = 58, right: int = 14, top: int = 10, bottom: int = 40, revision: str
) -> dict[str, Any]:
    """The layout that every figure starts from; `revision` keeps zoom over live updates."""
    return {
        "font": {"family": FONT, "size": 12, "color": "@text"},
        "margin": {"l": left, "r": right, "t": top, "b": bottom, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        # The page finds what is under the pointer itself: whole lines, not only points.
        "hovermode": False,
        "dragmode": "zoom",
        "uirevision": revision,
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
    }


def axis(title: str = "", **changes: Any) -> dict[str, Any]:
    """An axis: muted ticks, line in the axis token, no grid unless asked for."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": "@muted"}, "standoff": 8},
        "tickfont": {"size": 11.5, "color": "@muted"},
        "linecolor": "@axis",
        "showline": True,
        "showgrid": False,
        "gridcolor": "@grid",
        "zeroline": False,
        "ticks": "",
        **changes,
    }


def texts(rows: Sequence[Sequence[str]]) -> Rows:
    """Rows as tuples."""
    return tuple(tuple(row) for row in rows)


def whole_step(span: float, most: int = 10) -> int:
    """The distance of ticks on an axis of whole numbers: 1, 2, 5, 10 …, at most `most` of them."""
    decade = 1
    while True:
        for step in (decade, 2 * decade, 5 * decade):
            if span / step <= most:
                return step
        decade *= 10
