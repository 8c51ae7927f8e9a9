"""Very many lines of parallel coordinates as a picture of how many pass where.

Between two axes the picture has some columns; in each, every line spreads its weight of one over
the rows that it passes there, so that a column's cells sum up to the number of lines, however
steep they are. Lines are counted by pairs of bins first: the cost hardly grows with their number.
"""

import base64
from typing import NamedTuple

import numpy as np

from sweeps.domain.board import Floats, Ints, Mask

# Rows of the picture; cells over all gaps, and columns of one gap.
ROWS = 120
_CELLS, _MOST_COLUMNS, _LEAST_COLUMNS = 16_000, 20, 5


class Density(NamedTuple):
    """Counts by row (from the top) and column.

    `lines` are all lines looked at, `strength` is the mean of theirs from 0 to 1 (NaN where none
    has one), `ground` the lines that a selection leaves out (None without one).
    """

    lines: Floats
    strength: Floats
    ground: Floats | None

    def packed(self) -> dict[str, str | int]:
        """As bytes for a page, row by row, base64: levels 0 to 255 on a log scale; strengths 1 to
        255, 0 for none."""
        rows, columns = self.lines.shape
        strength = np.where(np.isnan(self.strength), 0, 1 + 254 * self.strength)
        found: dict[str, str | int] = {"rows": rows, "columns": columns}
        found |= {"level": _bytes(_levels(self.lines)), "strength": _bytes(strength)}
        if self.ground is not None:
            found["ground"] = _bytes(_levels(self.ground))
        return found


def _levels(counts: Floats) -> Floats:
    top = float(counts.max(initial=0.0))
    if not top:
        return counts
    return np.asarray(255 * np.log1p(counts) / np.log1p(top), dtype=np.float64)


def _bytes(values: Floats) -> str:
    return base64.b64encode(np.rint(values).clip(0, 255).astype(np.uint8).tobytes()).decode()


def density(
    places: Floats, strengths: Floats, looked_at: Mask, low: float, high: float, *, ground: bool
) -> Density:
    """The picture of all lines between `low` (bottom) and `high` (top).

    `places`: axes by lines, no NaN. `strengths`: by line, NaN without one. `looked_at`: by line;
    the others are the ground.
    """
    if len(places) == 1:  # an axis alone: level lines beside it
        places = np.repeat(places, 2, axis=0)
    gaps = len(places) - 1
    columns = min(_MOST_COLUMNS, max(_LEAST_COLUMNS, _CELLS // (ROWS * gaps)))
    bins = np.clip((high - places) / (high - low) * ROWS, 0, ROWS - 1).astype(np.int64)
    valued = looked_at & ~np.isnan(strengths)
    weights = [looked_at * 1.0, np.where(valued, strengths, 0.0), valued * 1.0]
    if ground:
        weights.append((~looked_at) * 1.0)
    pictures = [
        np.hstack([_gap(bins[i], bins[i + 1], weight, columns) for i in range(len(places) - 1)])
        for weight in weights
    ]
    lines, sums, counts = pictures[:3]
    # Where hardly a valued line passes, its strength would be noise of rounding.
    mean = np.full_like(sums, np.nan)
    np.divide(sums, counts, out=mean, where=counts > 1e-6)
    return Density(lines, np.clip(mean, 0, 1), pictures[3] if ground else None)


def _gap(left: Ints, right: Ints, weight: Floats, columns: int) -> Floats:
    """The weights between two axes, spread: rows by columns."""
    pairs = np.bincount(left * ROWS + right, weights=weight, minlength=ROWS * ROWS)
    found = np.flatnonzero(pairs)
    count = pairs[found]
    start, end = (found // ROWS).astype(np.float64), (found % ROWS).astype(np.float64)
    edges = start + np.linspace(0, 1, columns + 1)[:, None] * (end - start)
    first = np.rint(np.minimum(edges[:-1], edges[1:])).astype(np.int64)
    last = np.rint(np.maximum(edges[:-1], edges[1:])).astype(np.int64)
    share = count / (last - first + 1)
    # Each line begins at its first row of a column and ends after its last one.
    base = np.arange(columns)[:, None] * (ROWS + 1)
    size = columns * (ROWS + 1)
    changes = np.bincount((base + first).ravel(), weights=share.ravel(), minlength=size)
    changes -= np.bincount((base + last + 1).ravel(), weights=share.ravel(), minlength=size)
    spread = np.cumsum(changes.reshape(columns, ROWS + 1), axis=1)[:, :ROWS]
    # What is left of sums of floats that cancel out.
    return np.asarray(np.where(spread > 1e-9, spread, 0.0).T, dtype=np.float64)
