"""Trials coloured by a value: a ramp for numbers, the trials' own colours for categories."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.figure import Key
from sweeps.charts.values import Floats, Ints, Mask, Values

RAMP = [[0.0, "@ramp-0.00"], [0.5, "@ramp-0.50"], [1.0, "@ramp-1.00"]]
_MOST_CATEGORIES = 10
# What has no value to colour by.
BARE = "@neutral-mark"


class Colouring(NamedTuple):
    """By row `shares` of the ramp or codes of categories, NaN without a value."""

    by: Values
    shares: Floats

    def groups(self, rows: Ints) -> Sequence[tuple[str, Ints, dict[str, Any]]]:
        """Rows that share a trace: its name, its rows, what its marker says of colour."""
        bare = np.isnan(self.shares[rows])
        found = []
        if bare.any():
            found.append(("bare", rows[bare], {"color": BARE, "symbol": "circle-open"}))
        known = rows[~bare]
        if not self.by.is_category:
            shares = np.round(self.shares[known], 3).tolist()
            ramp = {"color": shares, "colorscale": RAMP, "cmin": 0, "cmax": 1, "showscale": False}
            return [*found, ("ramp", known, ramp)]
        for code in range(len(self.by.scale.categories)):
            own = known[self.shares[known] == code]
            if len(own):
                found.append((f"category-{code}", own, {"color": category_color(code)}))
        return found

    def layers(
        self, rows: Ints, out: Mask, best: int | None, star: int
    ) -> list[tuple[str, Ints, dict[str, Any]]]:
        """Traces from the bottom up: left out, without a colour, coloured, the best as a star.

        `out` and `best` are by row of the board; `star` is the star's size in pixels.
        """
        others = rows[rows != best] if best is not None else rows
        left = out[others]
        found: list[tuple[str, Ints, dict[str, Any]]] = []
        if left.any():
            found.append(("out", others[left], {"color": "@border"}))
        found += self.groups(others[~left])
        if best is not None:
            mark = {"color": "@best", "symbol": "star", "size": star}
            found.append(("best", np.array([best]), mark))
        return [layer for layer in found if len(layer[1])]

    def legend(self, rows: Ints, *, best_first: bool) -> list[Key]:
        """The ramp with its ends, or the categories; and what has none."""
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
