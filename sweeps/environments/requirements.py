"""Requirements files as pip reads them, as far as they mean the same for every trial.

Source: "Requirements File Format" of pip's documentation.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import cut, shown

# The text of a file by the path it was named with, None where there is none.
Read = Callable[[str], str | None]

OPTIONS = (
    "--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--no-index", "--no-binary",
    "--only-binary",
)  # fmt: skip
_FILES = ("-r", "--requirement", "--requirements")
_EDITABLE = ("-e", "--editable")
# Files that include each other would go on for ever; two that include a third twice, and so on, for
# as good as ever.
_DEEPEST, _MOST_FILES = 10, 100
_MOST = 2000
# What no line of text holds: PostgreSQL and the installer's file would refuse it, or split there.
_NO_TEXT = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r"(git\+)?https?://|git\+ssh://")
_HASH = re.compile(r"\s--hash[= ]\S+")


@dataclass(frozen=True, slots=True)
class Requirements:
    """Lines for the installer, and the canonical names of the packages among them."""

    lines: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()


def nothing(path: str) -> str | None:
    """For texts beside which no files lie."""
    return None


def read_requirements(text: str, where: str, read: Read = nothing) -> Requirements:
    """The requirements in the text of a file; files that it includes are got by `read`.

    Raises InvalidInput with a problem at `where` for every line that cannot be used.
    """
    lines = ((f"Line {number}: ", where, line) for number, line in _lines(text))
    return _gather(lines, read)


def read_items(items: Iterable[tuple[str, str]], read: Read = nothing) -> Requirements:
    """The same of lines that stand alone, each with the place where it was written.

    One that has line breaks is several lines: conda writes them into a file for pip.
    """
    return _gather((("", where, line) for where, text in items for _, line in _lines(text)), read)


def _gather(lines: Iterable[tuple[str, str, str]], read: Read) -> Requirements:
    reading, problems = _Reading(read), []
    for prefix, where, line in lines:
        try:
            reading.take(line)
        except _TooMany as error:
            problems.append(Problem(where, str(error)))
            break
        except ValueError as error:
            problems.append(Problem(where, f"{prefix}{error}"))
    if problems:
        raise InvalidInput(problems)
    return Requirements(tuple(reading.lines), frozenset(reading.names))


class _TooMany(ValueError):
    """More than anybody needs, and than is read before somebody waits for the answer."""


class _Reading:
    """What was read so far: `lines` for the installer and `names` of packages."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lines_seen = self._files_seen = 0
        self.lines: list[str] = []
        self.names: set[str] = set()

    def take(self, line: str, depth: int = 0) -> None:
        """Read one line. Raises _TooMany, and ValueError with what is wrong with it."""
        self._lines_seen += 1
        if self._lines_seen > _MOST:
            raise _TooMany(
                f"There are more than {_MOST} lines of requirements, all files together."
            )
        if _NO_TEXT.search(line):
            raise ValueError(f"{shown(cut(line, 80))} holds a character that is no text.")
        word, rest = _option_of(line)
        if word in _FILES:
            self._include(rest, depth)
        elif word in OPTIONS:
            self.lines.append(_option(word, rest))
        else:
            name = _package(line, word)
            self.lines.append(line)
            self.names |= {name} - {""}

    def _include(self, path: str, depth: int) -> None:
        if depth >= _DEEPEST:
            raise ValueError(
                f"{shown(path)} is included {depth} files deep: do they include each other?"
            )
        self._files_seen += 1
        if self._files_seen > _MOST_FILES:
            raise _TooMany(f"Files are included more than {_MOST_FILES} times.")
        text = self._read(path)
        if text is None:
            raise ValueError(f"There is no {shown(path)} beside it or in the code.")
        for number, line in _lines(text):
            try:
                self.take(line, depth + 1)
            except _TooMany:
                raise
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their number, without comments, continued ones joined."""
    begun = 0
    parts: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        begun = begun if parts else number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            if joined := " ".join(parts).strip():
                yield begun, joined
            parts = []
    if joined := " ".join(parts).strip():
        yield begun, joined


def _option_of(line: str) -> tuple[str, str]:
    """An option and what it is given, both "" for a line that is none."""
    if not line.startswith("-"):
        return "", ""
    word, _, rest = line.replace("=", " ", 1).partition(" ")
    # `-rfile` is `-r file`.
    if not line.startswith("--") and len(word) > 2:
        word, rest = word[:2], f"{word[2:]} {rest}"
    return word, rest.strip()


def _allowed() -> str:
    return ", ".join(name for name in OPTIONS if name.startswith("--"))


def _option(name: str, value: str) -> str:
    is_place = name in ("--find-links", "-f")
    if len(value.split()) != (0 if name == "--no-index" else 1):
        what = "nothing" if name == "--no-index" else "one value without spaces"
        raise ValueError(f"{name} is given {what}, not {shown(cut(value, 80))}.")
    if is_place and not (_ADDRESS.match(value) or value.startswith(("/", "file:///"))):
        raise ValueError(f"Write {name} with an address or a whole path, not {shown(value)}.")
    return f"{name} {value}".strip()


def _package(line: str, option: str) -> str:
    """The canonical name of the package that a line asks for, "" if only its file says."""
    if option in _EDITABLE or re.match(r"[./~]|file:", line):
        raise ValueError(_on_a_disk(line))
    if option:
        raise ValueError(f"{shown(option)} cannot be used here; allowed are -r, {_allowed()}.")
    if _ADDRESS.match(line):
        return ""
    try:
        found = Requirement(_HASH.sub("", f"{line} ").strip())
    except InvalidRequirement as error:
        [reason, *_] = str(error).splitlines()
        raise ValueError(f"{shown(cut(line, 80))} names no package: {reason}.") from error
    except RecursionError:
        raise ValueError(f"{shown(cut(line, 80))} is nested too deeply.") from None
    if found.url and not _ADDRESS.match(found.url):
        raise ValueError(_on_a_disk(line))
    return str(canonicalize_name(found.name))


def _on_a_disk(line: str) -> str:
    return (
        f"{shown(cut(line, 80))} is a project on a disk, which is not installed here. A trial "
        "starts in its code's folder and imports what lies there; name packages only."
    )
