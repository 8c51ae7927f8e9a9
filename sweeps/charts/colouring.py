"""Trials coloured by a value: a ramp for numbers, the trials' own colours for categories."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.figure import Key
from sweeps.charts.values import Floats, Ints, Mask, Trials, Values
from sweeps.domain.states import TrialStatus

RAMP = [[0.0, "@ramp-0.00"], [0.5, "@ramp-0.50"], [1.0, "@ramp-1.00"]]
_MOST_CATEGORIES = 10
# What has no value to colour by.
BARE = "@neutral-mark"
FALLEN, RUNNING = "@red-mark", "@blue-mark"


class Colouring(NamedTuple):
    """By row `shares` of the ramp or codes of categories, NaN without a value."""

    by: Values
    shares: Floats

    def groups(self, rows: Ints, trials: Trials) -> Sequence[tuple[str, Ints, dict[str, Any]]]:
        """Rows that share a trace: its name, its rows, what its marker says of colour."""
        bare = np.isnan(self.shares[rows])
        found = []
        if bare.any():
            found.append(("bare", rows[bare], {"color": BARE, "symbol": "circle-open"}))
        known = rows[~bare]
        if not self.by.is_category:
            shares = np.round(self.shares[known], 3).tolist()
            ramp = {"color": shares, "colorscale": RAMP, "cmin": 0, "cmax": 1, "showscale": False}
            return [*found, ("ramp", known, ramp | _early(trials, known))]
        for code in range(len(self.by.scale.categories)):
            own = known[self.shares[known] == code]
            if len(own):
                mark = {"color": category_color(code)} | _early(trials, own)
                found.append((f"category-{code}", own, mark))
        return found

    def layers(
        self, rows: Ints, trials: Trials, star: int
    ) -> list[tuple[str, Ints, dict[str, Any]]]:
        """Traces from the bottom up: left out, fallen, without a colour, coloured, running, best
        (a star of `star` pixels)."""
        best = trials.best if trials.best in rows else None
        others = rows[rows != best] if best is not None else rows
        left, fallen, running = (m[others] for m in (trials.out, trials.fallen, trials.running))
        found: list[tuple[str, Ints, dict[str, Any]]] = []
        if left.any():
            found.append(("out", others[left], {"color": "@border"}))
        found.append(("fallen", others[~left & fallen], {"color": FALLEN, "symbol": "x-thin-open"}))
        found += self.groups(others[~left & ~fallen & ~running], trials)
        running_mark = {"color": RUNNING, "symbol": "circle-open"}
        found.append(("running", others[~left & running], running_mark))
        if best is not None:
            mark = {"color": "@best", "symbol": "star", "size": star}
            found.append(("best", np.array([best]), mark))
        return [layer for layer in found if len(layer[1])]

    def legend(self, rows: Ints, trials: Trials, *, best_first: bool) -> list[Key]:
        """The ramp with its ends, or the categories; what has none; and what is no result."""
        counting = rows[trials.counting[rows]]
        return [*self._colours(counting, best_first), *standing_keys(rows, trials)]

    def _colours(self, rows: Ints, best_first: bool) -> list[Key]:
        keys = []
        known = rows[~np.isnan(self.shares[rows])]
        if self.by.is_category:
            codes = sorted({int(code) for code in self.shares[known]})
            keys += [
                Key("disc", category_color(code), self.by.scale.categories[code])
                for code in codes[:_MOST_CATEGORIES]
            ]
            if len(codes) > _MOST_CATEGORIES:
                keys.append(Key("disc", BARE, f"{len(codes) - _MOST_CATEGORIES} more"))
        elif len(known):
            order = known[np.argsort(self.by.at[known])]
            low, high = self.by.text(order[0]), self.by.text(order[-1])
            ends = " to ".join(dict.fromkeys((high, low) if best_first else (low, high)))
            keys.append(Key("ramp", "", f"{self.by.name}: {ends}"))
        if len(known) < len(rows):
            keys.append(Key("ring", BARE, f"{self.by.name}: {self.by.none}"))
        return keys


def _early(trials: Trials, rows: Ints) -> dict[str, Any]:
    """Open diamonds for those terminated early."""
    early = trials.early[rows]
    if not early.any():
        return {}
    return {"symbol": ["diamond-open" if one else "circle" for one in early.tolist()]}


def standing_keys(rows: Ints, trials: Trials) -> list[Key]:
    """What trials other than the completed ones look like, as far as there are any."""
    keys = []
    if trials.early[rows].any():
        status = TrialStatus.EARLY_TERMINATED
        keys.append(Key("diamond", "@text", "early-terminated", status.value))
    if trials.running[rows].any():
        keys.append(Key("ring", RUNNING, "running", TrialStatus.RUNNING.value))
    fallen = rows[trials.fallen[rows]]
    if len(fallen):
        keys.append(Key("cross", FALLEN, f"no result: {fallen_words(fallen, trials)}"))
    return keys


def not_counting(rows: Ints, trials: Trials) -> list[str]:
    """Half-sentences about those of `rows` whose values are no results, for a chart's note."""
    fallen, running = int(trials.fallen[rows].sum()), int(trials.running[rows].sum())
    parts = [f"{fallen:,} {fallen_words(rows, trials)}"] if fallen else []
    return [*parts, f"{running:,} running"] if running else parts


def fallen_words(rows: Ints, trials: Trials) -> str:
    """ "failed or canceled": how those among `rows` ended that have no result."""
    fallen = rows[trials.fallen[rows]]
    return " or ".join(sorted({trials.word(row).lower() for row in fallen.tolist()}))


def category_color(code: int) -> str:
    """The token of a category; beyond ten they are told apart no more."""
    return f"@trial-{code}" if code < _MOST_CATEGORIES else BARE


def colour_by(values: Values, *, objective: bool, minimize: bool) -> Colouring:
    """Colours by `values`; of the objective half by rank, so that a crowded top separates."""
    if values.is_category:
        return Colouring(values, values.at)
    shares = np.clip(values.unit, 0.0, 1.0)
    if objective:
        shares = (shares + _ranks(values.at)) / 2
        shares = 1.0 - shares if minimize else shares
    return Colouring(values, shares)


def _ranks(at: Floats) -> Floats:
    found = np.full(len(at), np.nan)
    known: Mask = ~np.isnan(at)
    levels, places = np.unique(at[known], return_inverse=True)
    found[known] = places / max(len(levels) - 1, 1)
    return found
