"""Editing rows: add, duplicate, remove, move, nest. Each returns new rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sweeps.forms.rows import Row, children
from sweeps.forms.values import format_value, parse_values

Edit = Callable[[list[Row], str], list[Row]]


def new_key(rows: Sequence[Row]) -> str:
    """A key that no row has."""
    return str(1 + max((int(row.key) for row in rows if row.key.isdecimal()), default=-1))


def add(rows: list[Row], _key: str = "") -> list[Row]:
    """One more empty row at the end."""
    return [*rows, Row(new_key(rows))]


def duplicate(rows: list[Row], key: str) -> list[Row]:
    """A copy of a row, and of what is nested in it, right after it."""
    block = _block(rows, key)
    if not block:
        return rows
    fresh = int(new_key(rows))
    keys = {row.key: str(fresh + index) for index, row in enumerate(block)}
    copies = [
        replace(row, key=keys[row.key], parent=keys.get(row.parent, row.parent)) for row in block
    ]
    copies[0] = replace(copies[0], name=f"{copies[0].name}_copy" if copies[0].name else "")
    at = rows.index(block[-1]) + 1
    return [*rows[:at], *copies, *rows[at:]]


def remove(rows: list[Row], key: str) -> list[Row]:
    """Without a row and what is nested in it."""
    gone = {row.key for row in _block(rows, key)}
    return [row for row in rows if row.key not in gone]


def up(rows: list[Row], key: str) -> list[Row]:
    """A row before its neighbour above."""
    return _swap(rows, key, -1)


def down(rows: list[Row], key: str) -> list[Row]:
    """A row after its neighbour below."""
    return _swap(rows, key, 1)


def nest(rows: list[Row], key: str) -> list[Row]:
    """An empty row under a choice, for its last value."""
    row = next((row for row in rows if row.key == key and row.type == "choice"), None)
    values = parse_values(row.get("values")) if row else []
    if row is None or not values:
        return rows
    child = Row(new_key(rows), parent=row.key, when=format_value(values[-1]))
    at = rows.index(_block(rows, key)[-1]) + 1
    return [*rows[:at], child, *rows[at:]]


EDITS: dict[str, Edit] = {
    "add": add,
    "duplicate": duplicate,
    "remove": remove,
    "up": up,
    "down": down,
    "nest": nest,
}


def in_order(rows: Sequence[Row], parent: str = "", depth: int = 0) -> list[tuple[Row, int]]:
    """Rows as they are shown: each followed by what is nested in it, with its depth."""
    shown: list[tuple[Row, int]] = []
    for row in children(rows, parent):
        shown.append((row, depth))
        shown += in_order(rows, row.key, depth + 1)
    return shown


def _block(rows: Sequence[Row], key: str) -> list[Row]:
    row = next((row for row in rows if row.key == key), None)
    if row is None:
        return []
    return [row, *(inner for child in children(rows, key) for inner in _block(rows, child.key))]


def _swap(rows: list[Row], key: str, step: int) -> list[Row]:
    row = next((row for row in rows if row.key == key), None)
    siblings = children(rows, row.parent) if row else []
    at = next((index for index, one in enumerate(siblings) if one.key == key), -1)
    if row is None or not 0 <= at + step < len(siblings):
        return rows
    siblings[at], siblings[at + step] = siblings[at + step], siblings[at]
    others = [one for one in rows if one.parent != row.parent]
    return [one for one, _ in in_order([*siblings, *others])]
