"""How much each parameter matters: bars with how sure they are, and what chance would reach."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sweeps.charts.figure import Figure, Key, Table, axis, base_layout
from sweeps.charts.text import escape, plural
from sweeps.domain.importance import MIN_TRIALS, Importance, Weight

# A chart has room for so many; the table has them all.
MOST_BARS = 10
# Names are cut to what fits above a bar on a phone.
_NAME = 40


class ImportanceInfo(NamedTuple):
    """What a chart of importance draws, the weightiest first."""

    weights: tuple[Weight, ...]
    empty: str | None
    note: str
    summary: str

    @property
    def bars(self) -> tuple[Weight, ...]:
        """Those that are drawn."""
        return self.weights[:MOST_BARS]

    @property
    def table(self) -> Table:
        """Every parameter with its share, the interval and what chance reaches."""
        header = ("Parameter", "Importance", "90 % interval", "Chance reaches", "Told from chance")
        rows = tuple(
            (
                one.name,
                percent(one.share),
                f"{percent(one.low)} to {percent(one.high)}",
                percent(one.chance),
                "yes" if one.is_clear else "no",
            )
            for one in self.weights
        )
        return Table(header, rows)

    @property
    def legend(self) -> tuple[Key, ...]:
        keys = [Key("line", "@primary", "share of all importance, with its 90 % interval")]
        if not all(one.is_clear for one in self.bars):
            keys.append(Key("line", "@neutral-mark", "no more than chance explains"))
        return (*keys, Key("dash", "@text", "what chance reaches"))


def percent(share: float) -> str:
    """73 %, 4.2 %, 0 %."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value < 0.05 else f"{value:.1f} %"


def build_importance_info(
    found: Importance | None,
    *,
    valued: int,
    failed: int,
    final: bool,
    metric: str,
    filtered: bool = False,
) -> ImportanceInfo:
    """What to draw of `found`, None: not worked out yet.

    `valued` trials have a value that counts by now, `failed` ended without a result, whatever
    they logged before; `filtered`: the
    page's selection leaves some out, which is another question.
    """
    if valued < MIN_TRIALS:
        return _nothing(_too_few(valued, failed, final))
    if found is None:
        return _nothing("Working it out…")
    if found.is_flat:
        return _nothing(
            f"Every trial came to the same {metric}: no parameter can be told from another."
        )
    sample = f" (a random sample of {found.trials:,})" if found.used < found.trials else ""
    left_out = f"; {plural(failed, 'trial')} without a result left out" if failed else ""
    shown = f"; the first {MOST_BARS} drawn" if len(found.weights) > MOST_BARS else ""
    whole = "whatever is selected: " if filtered else ""
    note = f"{whole}PED-ANOVA over {plural(found.used, 'trial')}{sample}{left_out}{shown}"
    return ImportanceInfo(found.weights, None, note, _summary(found, metric))


def _nothing(why: str) -> ImportanceInfo:
    return ImportanceInfo((), why, "", why)


def _too_few(valued: int, failed: int, final: bool) -> str:
    has = f"{plural(valued, 'trial')} {'has' if valued == 1 else 'have'} one"
    also = f", {failed:,} without a result left out" if failed else ""
    data, far = ("data", "") if final else ("data yet", " so far")
    needs = f"importance needs {MIN_TRIALS} trials with a result"
    return f"Not enough {data}: {needs}; {has}{far}{also}."


def _summary(found: Importance, metric: str) -> str:
    clear = [one for one in found.weights if one.is_clear]
    first = found.weights[0]
    good = f"the best {percent(found.quantile)} of {plural(found.used, 'trial')}"
    if not clear:
        return (
            f"What sets {good} by {metric} apart from the others is no parameter more than chance "
            f"explains; {first.name} comes first with {percent(first.share)}."
        )
    named = [f"{one.name} {percent(one.share)}" for one in clear[:5]]
    others = len(found.weights) - len(clear)
    rest = f" {plural(others, 'parameter')} no more than chance explains." if others else ""
    return f"What sets {good} by {metric} apart: {', '.join(named)}.{rest}"


# --- How ----------------------------------------------------------------------------------------


def importance_figure(info: ImportanceInfo) -> Figure:
    """The Plotly figure of `info`: names stand above their bars, so that they fit any screen."""
    bars = info.bars
    layout = base_layout(left=14, right=24, top=4, revision="importance")
    end = min(1.0, 1.08 * max((one.high for one in bars), default=1.0))
    ticks = [tick for tick in (0.2 * k for k in range(6)) if tick <= end + 1e-9]
    layout["xaxis"] = axis(
        "Share of all importance",
        range=[0, end],
        tickmode="array",
        tickvals=ticks if len(ticks) > 1 else [0, round(end, 2)],
        ticktext=[percent(t) for t in (ticks if len(ticks) > 1 else [0, round(end, 2)])],
        fixedrange=True,
        showgrid=True,
    )
    layout["yaxis"] = axis(
        range=[max(len(bars), 3) - 0.35, -0.75], showticklabels=False, fixedrange=True
    )
    # Each name needs a line of its own.
    layout["meta"] = {"minHeight": 60 + 30 * len(bars)}
    layout["annotations"] = [_name(place, one) for place, one in enumerate(bars)]
    layout["shapes"] = [
        shape for place, one in enumerate(bars) for shape in _chance(place, one, end)
    ]
    return {"data": [_bars(bars)], "layout": layout}


def _bars(bars: Sequence[Weight]) -> dict[str, Any]:
    return {
        "type": "bar",
        "uid": "importance",
        "orientation": "h",
        "x": [one.share for one in bars],
        "y": list(range(len(bars))),
        "width": 0.3,
        "marker": {
            "color": ["@primary" if one.is_clear else "@neutral-mark" for one in bars],
            "opacity": [1.0 if one.is_clear else 0.55 for one in bars],
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.share for one in bars],
            "arrayminus": [one.share - one.low for one in bars],
            "color": "@text",
            "thickness": 1.2,
            "width": 4,
        },
        "cliponaxis": False,
    }


def _name(place: int, one: Weight) -> dict[str, Any]:
    short = one.name if len(one.name) <= _NAME else f"{one.name[: _NAME - 1]}…"
    return {
        "x": 0,
        "y": place - 0.17,
        "xref": "x",
        "yref": "y",
        "xanchor": "left",
        "yanchor": "bottom",
        "borderpad": 0,
        "showarrow": False,
        "text": f"{escape(short)}  <b>{percent(one.share)}</b>",
        "font": {"size": 12, "color": "@text" if one.is_clear else "@muted"},
    }


def _chance(place: int, one: Weight, end: float) -> list[dict[str, Any]]:
    """A dashed mark across the bar, with a halo that sets it off."""
    at = min(one.chance, end)
    line = {"type": "line", "xref": "x", "yref": "y", "x0": at, "x1": at}
    line |= {"y0": place - 0.2, "y1": place + 0.28}
    return [
        line | {"line": {"color": "@surface", "width": 5}},
        line | {"line": {"color": "@text", "width": 1.6, "dash": "3px,2px"}},
    ]
