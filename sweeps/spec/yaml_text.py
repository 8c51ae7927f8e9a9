"""A YAML loader for text from strangers: plain data, small, with the line of every part.

No aliases, anchors or merge keys (bombs), no duplicate keys, no tags; numbers as in YAML 1.2
(1e-3 is a number, 010 is ten). Positions are 1-based.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import yaml

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import cut, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_INT = re.compile(r"[+-]?[0-9]+")
# As many as a float can stand for.
MAX_DIGITS = 300
_FLOAT = re.compile(r"[+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value"})

# libyaml where PyYAML was built with it: a legal file of 256 KiB takes seconds without.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]
Positions = dict[Path, tuple[int, int]]


@dataclass(slots=True)
class Loaded:
    """A document and where each of its parts stands, by path: ("limits", "timeout") -> (7, 3)."""

    document: Any
    positions: Positions = field(default_factory=dict)


def load(text: str) -> Loaded:
    """Read one YAML document.

    Raises InvalidInput with the line and column of what cannot be read.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise InvalidInput.one("", f"A job file may have {MAX_BYTES // 1024} KiB at most.")
    loaded = Loaded(None)
    try:
        text.encode()  # libyaml takes no halves of characters
        _refuse_aliases(text)
        node = yaml.compose(text, Loader=_LOADER)
        if node is not None:
            loaded.document = _value(node, (), loaded.positions, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"This is not YAML: {error.problem or error.context}."
        raise InvalidInput([Problem("", message, line, column)]) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise InvalidInput([_no_text(text)]) from error
    except RecursionError as error:
        raise InvalidInput([Problem("", "The file is nested too deeply.", 1, 1)]) from error
    return loaded


# What YAML takes for no text; the readers tell its place in bytes, or not at all.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def _no_text(text: str) -> Problem:
    """A control character or half of a character, where it stands."""
    odd = _ODD.search(text)
    before = text[: odd.start()] if odd else ""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = "This is not YAML: here is a control character, or half of a character."
    return Problem("", message, line, column)


def _refuse_aliases(text: str) -> None:
    """Look at events first: composing would already follow the aliases."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _fail(event.start_mark, "Anchors and aliases (& and *) are not read; write it out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                _fail(event.start_mark, f"The file is nested more than {MAX_DEPTH} deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _fail(mark: Any, message: str) -> None:
    raise InvalidInput([Problem("", message, mark.line + 1, mark.column + 1)])


def _refuse_tag(node: Any, allowed: Collection[str]) -> None:
    if node.tag.removeprefix(_CORE) not in allowed:
        _fail(node.start_mark, f"Tags like {cut(node.tag.replace(_CORE, '!!'))} are not read.")


def _value(node: Any, path: Path, positions: Positions, depth: int) -> Any:
    _refuse_tag(node, _CORE_TAGS)
    positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, positions, depth)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(item, (*path, index), positions, depth + 1)
            for index, item in enumerate(node.value)
        ]
    return _scalar(node)


def _mapping(node: Any, path: Path, positions: Positions, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            _fail(key_node.start_mark, "A key must be plain text.")
        _refuse_tag(key_node, (*_CORE_TAGS, "merge"))
        key = key_node.value
        if key == "<<" and not key_node.style:
            _fail(key_node.start_mark, "Merge keys (<<) are not read; write it out.")
        if key in found:
            _fail(key_node.start_mark, f"{shown(key)} is there twice.")
        where = (*path, key)
        positions[where] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        found[key] = _value(value_node, where, positions, depth + 1)
    return found


def _scalar(node: Any) -> Any:
    text = node.value
    if node.style:  # "" or None is plain
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            _fail(node.start_mark, f"A number has {MAX_DIGITS} digits at most.")
        return int(text)
    if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text):
        special = _SPECIAL.fullmatch(text)
        return float(text.replace(".", "", 1) if special else text)
    return text
