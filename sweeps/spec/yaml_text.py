"""A YAML loader for text from strangers: plain data, small, with the line of every part.

No aliases, anchors or merge keys (bombs), no duplicate keys, no tags; numbers as in YAML 1.2
(1e-3 is a number, 010 is ten). Positions are 1-based.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import yaml

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import cut, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
# Read in a tenth of a second; points to try first are one of them where the studio writes them.
MAX_NODES = 10_000
_INT = re.compile(r"[+-]?[0-9]+")
# As many as a float can stand for.
MAX_DIGITS = 300
_FLOAT = re.compile(r"[+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][+-]?[0-9]+)?")
_SPECIAL = re.compile(r"[+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# What ends a line in YAML 1.1, as the parser counts them.
BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

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
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise InvalidInput.one("", f"A job file may have {MAX_BYTES // 1024} KiB at most.")
    loaded = Loaded(None)
    try:
        text.encode()  # libyaml takes no halves of characters
        builder = _Builder(yaml.parse(text, Loader=_LOADER), loaded.positions)
        loaded.document = builder.document()
        end = _end(text)
        for path, place in loaded.positions.items():
            loaded.positions[path] = min(place, end)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = min((mark.line + 1, mark.column + 1), _end(text)) if mark else (1, 1)
        message = f"This is not YAML: {_why(error, text)}."
        raise InvalidInput([Problem("", message, line, column)]) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise InvalidInput([_no_text(text)]) from error
    except RecursionError as error:
        raise InvalidInput([Problem("", "The file is nested too deeply.", 1, 1)]) from error
    return loaded


# What people stumble over most, in words that say what to do.
_MAPPING_IN_MAPPING = "mapping values are not allowed in this context"


def _why(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    if mark and _rest_of_line(text, mark).startswith("\t"):
        return "a tab cannot indent; use spaces"
    if error.problem == _MAPPING_IN_MAPPING:
        return "quote a text with “: ” in it, and indent keys as deep as those beside them"
    return str(error.problem or error.context)


def _rest_of_line(text: str, mark: yaml.Mark) -> str:
    lines = BREAK.split(text)
    return lines[mark.line][mark.column :] if mark.line < len(lines) else ""


def _end(text: str) -> tuple[int, int]:
    """The place after the last character. The parser puts what is missing there a line below."""
    lines = BREAK.split(text)
    return len(lines), len(lines[-1]) + 1


def decoded(raw: bytes | bytearray) -> str:
    """The text of a file.

    Raises InvalidInput where the first bytes stand that are no UTF-8.
    """
    if len(raw) > MAX_BYTES:
        raise InvalidInput.one("", f"A job file may have {MAX_BYTES // 1024} KiB at most.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        text = "This is no UTF-8 text: save the file as UTF-8."
        raise InvalidInput([Problem("", text, line, column)]) from error


def placed(problems: Iterable[Problem], positions: Positions) -> list[Problem]:
    """Problems of a document with their lines and columns in its text, where they have none."""
    named = {_dotted(path): place for path, place in positions.items()}
    return [
        problem if problem.line else replace(problem, line=where[0], column=where[1])
        for problem in problems
        for where in [_position(problem.field, named)]
    ]


def _dotted(path: Path) -> str:
    """A path as problems name it: values[1].c."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _position(field: str, named: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Where a field stands, or the nearest thing around it that is there."""
    while field and field not in named:
        field = field[: max(field.rfind("."), field.rfind("["), 0)]
    return named.get(field, (1, 1))


# What YAML takes for no text; the readers tell its place in bytes, or not at all.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def _no_text(text: str) -> Problem:
    """A control character or half of a character, where it stands."""
    odd = _ODD.search(text)
    before = text[: odd.start()] if odd else ""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = "This is not YAML: here is a control character, or half of a character."
    return Problem("", message, line, column)


def _fail(mark: Any, message: str) -> NoReturn:
    raise InvalidInput([Problem("", message, mark.line + 1, mark.column + 1)])


@dataclass(slots=True)
class _Builder:
    """Values out of the parser's events in one pass, for nodes would follow aliases first."""

    events: Iterator[Any]
    positions: Positions
    count: int = 0

    def document(self) -> Any:
        """The value of the only document, None where there is none."""
        found = None
        seen = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen > 1:
                    _fail(event.start_mark, "A job file holds one document only.")
                found = self.value((), 0)
        return found

    def value(self, path: Path, depth: int) -> Any:
        """The next value; the events after it are left."""
        return self._of(self._next(), path, depth)

    def _next(self) -> Any:
        event = next(self.events)
        self.count += 1
        if self.count > MAX_NODES:
            _fail(event.start_mark, f"A job file has {MAX_NODES:,} keys and values at most.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _fail(event.start_mark, "Anchors and aliases (& and *) are not read; write it out.")
        return event

    def _of(self, event: Any, path: Path, depth: int) -> Any:
        _refuse_tag(event)
        mark = event.start_mark
        self.positions.setdefault(path, (mark.line + 1, mark.column + 1))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if depth >= MAX_DEPTH:
            _fail(mark, f"The file is nested more than {MAX_DEPTH} deep.")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        return self._list(path, depth)

    def _list(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._of(event, (*path, len(found)), depth + 1))
        return found

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key, mark = _key(event), event.start_mark
            if key in found:
                _fail(mark, f"{shown(key)} is there twice.")
            where = (*path, key)
            self.positions[where] = (mark.line + 1, mark.column + 1)
            found[key] = self.value(where, depth + 1)
        return found


def _key(event: Any) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        _fail(event.start_mark, "A key must be plain text.")
    _refuse_tag(event)
    if event.value == "<<" and not event.style:
        _fail(event.start_mark, "Merge keys (<<) are not read; write it out.")
    return str(event.value)


def _refuse_tag(event: Any) -> None:
    if event.tag and event.tag != "!" and event.tag.removeprefix(_CORE) not in _CORE_TAGS:
        _fail(event.start_mark, f"Tags like {cut(event.tag.replace(_CORE, '!!'))} are not read.")


def _scalar(event: Any) -> Any:
    text = event.value
    if event.style:  # "" or None is plain
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            _fail(event.start_mark, f"A number has {MAX_DIGITS} digits at most.")
        return int(text)
    if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text):
        special = _SPECIAL.fullmatch(text)
        return float(text.replace(".", "", 1) if special else text)
    return text
