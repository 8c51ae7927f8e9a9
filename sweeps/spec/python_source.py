"""Python source of calls, lists and mappings, laid out as a formatter would leave it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH = 88
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Call:
    """`function(*args, **keywords)`; keywords that are None are left out."""

    function: str
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Source that stands as it is."""

    text: str


def source(value: Any, indent: int = 0, before: int = 0) -> str:
    """The source of a value; `indent` in steps, `before` is how many characters precede it."""
    flat = _flat(value)
    if len(flat) + indent * len(_INDENT) + before < WIDTH and "\n" not in flat:
        return flat
    opening, items, closing = _parts(value, indent + 1)
    if not items:
        return flat
    inner = "".join(f"{_INDENT * (indent + 1)}{item},\n" for item in items)
    return f"{opening}\n{inner}{_INDENT * indent}{closing}"


def functions(value: Any) -> set[str]:
    """The names of all functions that are called anywhere in `value`."""
    if isinstance(value, Call):
        inner = [*value.args, *value.keywords.values()]
        return {value.function}.union(*map(functions, inner))
    if isinstance(value, Mapping):
        return set().union(*map(functions, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(functions, value))
    return set()


def _flat(value: Any) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Call):
        named = (f"{name}={_flat(item)}" for name, item in _said(value))
        return f"{value.function}({', '.join([*map(_flat, value.args), *named])})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {_flat(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flat, value))}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _parts(value: Any, indent: int) -> tuple[str, list[str], str]:
    """What opens a value, its items at that indent, and what closes it."""
    if isinstance(value, Call):
        items = [source(item, indent) for item in value.args]
        items += [f"{name}={source(item, indent, len(name) + 1)}" for name, item in _said(value)]
        return f"{value.function}(", items, ")"
    if isinstance(value, Mapping):
        return "{", list(_entries(value, indent)), "}"
    if isinstance(value, list | tuple):
        return "[", [source(item, indent) for item in value], "]"
    return "", [], ""


def _entries(value: Mapping[str, Any], indent: int) -> Iterable[str]:
    for key, item in value.items():
        yield f"{_text(key)}: {source(item, indent, len(_text(key)) + 2)}"


def _said(call: Call) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in call.keywords.items() if value is not None]


def _text(value: str) -> str:
    """In double quotes, unless a text is full of them."""
    plain = repr(value)
    if plain.startswith("'") and '"' not in value:
        return f'"{plain[1:-1]}"'.replace("\\'", "'")
    return plain
