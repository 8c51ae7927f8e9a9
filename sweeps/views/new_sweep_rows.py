"""Search-space rows as the form shows them: their fields, previews, and what hangs on them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeps.charts.sparkline import density_path
from sweeps.domain import preview
from sweeps.domain.command import parse_command
from sweeps.domain.problems import InvalidInput
from sweeps.domain.samplers.draws import stable_hash
from sweeps.domain.space import LOG_KINDS, Distribution
from sweeps.forms.first import space_of
from sweeps.forms.rows import (
    ALL_FIELDS,
    CONSTANT,
    FIELDS,
    REAL_BOUNDS,
    Row,
    children,
)
from sweeps.forms.values import format_value, kind_of, parse_values
from sweeps.views.new_sweep_command import path_of, placeholder

WIDTH, HEIGHT = 112, 28
# Words around each field: before it, and after it.
_AROUND: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "choice": {"values": ("", "")},
    "uniform": {"min_value": ("", ""), "max_value": ("to", "")},
    "quniform": {"min_value": ("", ""), "max_value": ("to", ""), "q": ("step", "")},
    "loguniform": {"min_value": ("", ""), "max_value": ("to", "real values")},
    "qloguniform": {"min_value": ("", ""), "max_value": ("to", ""), "q": ("step", "real values")},
    "randint": {"upper": ("below", "")},
    "normal": {"mu": ("mean", ""), "sigma": ("deviation", "")},
    "qnormal": {"mu": ("mean", ""), "sigma": ("deviation", ""), "q": ("step", "")},
    "lognormal": {"mu": ("mean of ln", ""), "sigma": ("deviation of ln", "")},
    "qlognormal": {"mu": ("mean of ln", ""), "sigma": ("deviation of ln", ""), "q": ("step", "")},
    CONSTANT: {"constant": ("always", "")},
}
_NAMES = {
    "values": "Values",
    "min_value": "Lowest",
    "max_value": "Highest",
    "q": "Step",
    "upper": "Below",
    "mu": "Mean",
    "sigma": "Standard deviation",
    "constant": "Value",
}
DISTRIBUTIONS = tuple(kind for kind in FIELDS if kind != CONSTANT)


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a row."""

    name: str
    label: str
    before: str
    value: str
    after: str
    invalid: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What a readable distribution looks like: draws as text, a path to draw, marks on it."""

    draws: str
    path: str
    dots: tuple[float, ...]
    log: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A row with everything that is shown of it."""

    row: Row
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]
    hidden: tuple[tuple[str, str], ...]
    errors: Mapping[str, Sequence[str]]
    look: Look | None
    facts: tuple[str, ...]
    chips: tuple[tuple[str, str], ...]
    whens: tuple[str, ...]
    parent_name: str
    placeholder: str
    unused: bool
    nested: tuple["RowView", ...]

    @property
    def messages(self) -> list[str]:
        """Every error of the row, in the order of its fields."""
        return [text for texts in self.errors.values() for text in texts]


def row_views(
    rows: Sequence[Row], command: str, by_field: Mapping[str, Sequence[str]], seed: int
) -> list[RowView]:
    """The top rows, each with what is nested in it."""
    used = _used(command)
    return [_view(row, rows, used, by_field, seed) for row in children(rows, "")]


def _used(command: str) -> set[str] | None:
    """Search-space names in the command; None where all are (args) or nothing can be said."""
    try:
        template = parse_command(command)
    except InvalidInput:
        return None
    kinds = {found.kind for found in template.placeholders}
    return None if "args" in kinds else {found.name for found in template.placeholders}


def _view(
    row: Row,
    rows: Sequence[Row],
    used: set[str] | None,
    by_field: Mapping[str, Sequence[str]],
    seed: int,
) -> RowView:
    known = {one.key: one for one in rows}
    parent = known.get(row.parent)
    start = f"rows.{row.key}."
    errors = {key.removeprefix(start): by_field[key] for key in by_field if key.startswith(start)}
    nested = children(rows, row.key)
    around = _AROUND.get(row.type, {})
    chips = parse_values(row.get("values")) if row.type == "choice" else []
    whens = _whens(row, parent)
    has_nested = any(not child.is_blank for child in nested)
    path = path_of(row, known)
    words = f"{path}.{row.tag}" if has_nested else path
    return RowView(
        row=row,
        kinds=(*DISTRIBUTIONS, CONSTANT) if parent else DISTRIBUTIONS,
        cells=tuple(
            Cell(name, _NAMES[name], before, row.get(name), after, name in errors)
            for name, (before, after) in around.items()
        ),
        hidden=tuple(
            (name, row.get(name)) for name in ALL_FIELDS if name not in around and row.get(name)
        ),
        errors=errors,
        look=_look(row, stable_hash(seed, int(row.key))),
        facts=_facts(row, whens if parent else ()),
        chips=tuple((format_value(value), kind_of(value)) for value in chips),
        whens=whens,
        parent_name=parent.name if parent else "",
        placeholder=placeholder(row, known, has_nested),
        unused=bool(row.name.strip()) and used is not None and words not in used,
        nested=tuple(_view(child, rows, used, by_field, seed) for child in nested),
    )


def _whens(row: Row, parent: Row | None) -> tuple[str, ...]:
    """What a nested row may hang on: the values of its choice, and what it says now."""
    if parent is None:
        return ()
    values = [format_value(value) for value in parse_values(parent.get("values"))]
    return tuple(dict.fromkeys([*values, row.when]))


def distribution_of(row: Row) -> Distribution | None:
    """The distribution of one row on its own, None while it cannot be read."""
    alone = space_of(row)
    return alone.parameters[0][1] if alone else None


def _look(row: Row, seed: int) -> Look | None:
    found = distribution_of(row) if row.type != CONSTANT else None
    if found is None:
        return None
    draws = preview.draws(found, seed)
    density = preview.density(found)
    return Look(
        draws="" if row.type == "choice" else ", ".join(draws),
        path=density_path(density, width=WIDTH, height=HEIGHT - 4),
        dots=_dots(draws, density) if row.type not in ("choice", "randint") else (),
        log=row.type in LOG_KINDS,
    )


def _dots(draws: Sequence[str], density: preview.Density) -> tuple[float, ...]:
    """Where the draws stand under the density, in its units across."""

    def at(x: float) -> float:
        return math.log(x) if density.log and x > 0 else x

    low, high = at(density.x0), at(density.x1)
    if not high > low:
        return ()
    shares = [(at(float(text)) - low) / (high - low) for text in draws]
    return tuple(round(min(max(share, 0.02), 0.98) * WIDTH, 1) for share in shares)


def _facts(row: Row, whens: Sequence[str]) -> tuple[str, ...]:
    """What else is to be said of the values: whole numbers, stored logarithms, how often."""
    facts = []
    found = distribution_of(row) if row.type != CONSTANT else None
    if found is not None and row.type == "randint":
        facts.append(f"whole numbers from 0 to {int(getattr(found, 'upper', 1)) - 1:,}")
    elif found is not None and float(getattr(found, "q", 0.5)).is_integer():
        facts.append("whole numbers")
    if found is not None and row.type in REAL_BOUNDS:
        low, high = getattr(found, "min_value", 0.0), getattr(found, "max_value", 0.0)
        facts.append(f"stored as ln {low:.4g} to {high:.4g}".replace("-", "−"))
    others = len(whens) - 1
    if others > 0:
        facts.append(f"none in {others} of {len(whens)} trials")
    return tuple(facts)
