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
# Files that include each other would go on for ever.
_DEEPEST = 10
_MOST = 2000
_ADDRESS = re.compile(r"(git\+)?https?://|git\+ssh://")
_HASH = re.compile(r"\s--hash[= ]\S+")


@dataclass(frozen=True, slots=True)
class Requirements:
    """Lines for the installer, and the canonical names of the packages among them."""

    lines: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()

    def __add__(self, other: "Requirements") -> "Requirements":
        return Requirements(self.lines + other.lines, self.names | other.names)


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
    """The same of lines that stand alone, each with the place where it was written."""
    return _gather((("", where, line) for where, line in items), read)


def _gather(lines: Iterable[tuple[str, str, str]], read: Read) -> Requirements:
    found, problems = Requirements(), []
    for prefix, where, line in lines:
        try:
            found += _line(line.strip(), read, 0)
        except ValueError as error:
            problems.append(Problem(where, f"{prefix}{error}"))
    if len(found.lines) > _MOST and not problems:
        text = f"These are {len(found.lines)} requirements; {_MOST} are allowed."
        problems.append(Problem(where, text))
    if problems:
        raise InvalidInput(problems)
    return found


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


def _line(line: str, read: Read, depth: int) -> Requirements:
    """What one line asks for. Raises ValueError with what is wrong with it."""
    word, _, rest = line.replace("=", " ", 1).partition(" ") if line[:1] == "-" else (line, "", "")
    # `-rfile` is `-r file`.
    if line.startswith("-") and not line.startswith("--") and len(word) > 2:
        word, rest = word[:2], f"{word[2:]} {rest}".strip()
    rest = rest.strip()
    if word in _FILES:
        return _included(rest, read, depth)
    if word in OPTIONS:
        return Requirements((_option(word, rest),))
    if word in _EDITABLE or re.match(r"[./~]|file:", line):
        raise ValueError(
            f"{shown(cut(line, 80))} is a project on a disk, which is not installed here. A trial "
            "starts in its code's folder and imports what lies there; name packages only."
        )
    if line.startswith("-"):
        raise ValueError(f"{shown(word)} cannot be used here; allowed are -r, {_allowed()}.")
    return _package(line)


def _allowed() -> str:
    return ", ".join(name for name in OPTIONS if name.startswith("--"))


def _included(path: str, read: Read, depth: int) -> Requirements:
    if depth >= _DEEPEST:
        raise ValueError(
            f"{shown(path)} is included {depth} files deep: do they include each other?"
        )
    text = read(path)
    if text is None:
        raise ValueError(f"There is no {shown(path)} beside it or in the code.")
    found = Requirements()
    for number, line in _lines(text):
        try:
            found += _line(line, read, depth + 1)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    return found


def _option(name: str, value: str) -> str:
    is_place = name in ("--find-links", "-f")
    if is_place and not (_ADDRESS.match(value) or value.startswith(("/", "file:///"))):
        raise ValueError(f"Write {name} with an address or a whole path, not {shown(value)}.")
    return f"{name} {value}".strip()


def _package(line: str) -> Requirements:
    if _ADDRESS.match(line):
        return Requirements((line,))
    try:
        name = Requirement(_HASH.sub("", f"{line} ").strip()).name
    except InvalidRequirement as error:
        [reason, *_] = str(error).splitlines()
        raise ValueError(f"{shown(cut(line, 80))} names no package: {reason}.") from error
    return Requirements((line,), frozenset({str(canonicalize_name(name))}))
