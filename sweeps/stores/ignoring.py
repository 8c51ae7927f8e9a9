"""Patterns of git's kind that leave files out, matched without trying any way twice.

Whoever writes a pattern may want it to take for ever, and a regular expression with a star for
each of the pattern's would: so each piece between two stars is looked for once, from the left, and
kept where it was found first (atomic groups), which finds a match if there is one.
"""

import errno
import re
from dataclasses import dataclass
from time import thread_time

_SPECIAL = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\ \t", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e", "space": r"\ \t\n\r\f\v", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_STAR, _SLASH = "*", "/"
_WITHIN = "[^/]*"
# Nobody writes more by hand.
MOST_PATTERNS, LONGEST = 1_000, 1_000
# For all files of a folder together: each pattern is tried on each.
MOST_S = 5.0


class _NeverMatches(Exception):
    """A bracket without an end, or a backslash with nothing behind it."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    found: re.Pattern[str]
    leaves_out: bool
    folders_only: bool
    # Of a pattern without a slash only the last part of a path counts.
    by_name: bool


class Patterns:
    """The patterns of an ignore file; of those that match the last one decides."""

    def __init__(self, text: str = "") -> None:
        """Raises OSError for more of them, or longer ones, than are matched."""
        lines = [line.removesuffix("\r") for line in text.split("\n")]
        given = [line for line in lines if line and line[0] != "#"]
        if len(given) > MOST_PATTERNS or any(len(line) > LONGEST for line in given):
            most = f"{MOST_PATTERNS:,} patterns of {LONGEST:,} letters"
            raise OSError(errno.E2BIG, f"of its ignore file at most {most} are taken")
        self._newest_first = [one for line in reversed(given) if (one := _pattern(line))]
        self._left_s = MOST_S

    def leave_out(self, path: str, *, is_folder: bool) -> bool:
        """True if they name this path itself, and not just a folder that it is in.

        Raises OSError when all calls together have taken longer than MOST_S.
        """
        if not self._newest_first:
            return False
        if self._left_s < 0:
            text = "it takes too long which files its ignore file means: name their folders there"
            raise OSError(errno.E2BIG, text)
        began, name = thread_time(), path.rpartition("/")[2]
        matching = (
            one.leaves_out
            for one in self._newest_first
            if (is_folder or not one.folders_only)
            and one.found.fullmatch(name if one.by_name else path)
        )
        found = next(matching, False)
        self._left_s -= thread_time() - began
        return found


def _pattern(line: str) -> _Pattern | None:
    text = _without_spaces(line)
    leaves_out = not text.startswith("!")
    text = text.removeprefix("!")
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    try:
        found = re.compile(_expression(_tokens(text.removeprefix("/"))), re.DOTALL)
    except _NeverMatches:
        return None
    return _Pattern(found, leaves_out, folders_only, "/" not in text)


def _without_spaces(line: str) -> str:
    """Without those at the end that no backslash keeps."""
    kept = re.match(r"(?:\\.?|[^\\ ]| ++(?!\Z))*+", line, re.DOTALL)
    return kept[0] if kept else line


def _tokens(text: str) -> list[str]:
    """Stars, slashes, and regular expressions of one character each. Raises _NeverMatches."""
    found, at = [], 0
    while at < len(text):
        letter = text[at]
        at += 1
        if letter == "[":
            expression, at = _bracket(text, at)
            found.append(expression)
        elif letter == "?":
            found.append("[^/]")
        elif letter in (_STAR, _SLASH):
            found.append(letter)
        else:
            if letter == "\\":
                letter, at = _at(text, at), at + 1
            found.append(_SLASH if letter == _SLASH else re.escape(letter))
    return found


def _bracket(text: str, at: int) -> tuple[str, int]:
    """What stands behind `[`, and where it ends. A slash is never one of its characters."""
    is_negative = _at(text, at) in "!^"
    at += is_negative
    first, members, before = True, "", ""
    while first or _at(text, at) != "]":
        first, letter = False, _at(text, at)
        at += 1
        if letter == "[" and _at(text, at) == ":":
            end = text.find("]", at + 1)
            if end > at + 1 and text[end - 1] == ":":
                members += _named(text[at + 1 : end - 1])
                at, before = end + 1, ""
                continue
        is_range = letter == "-" and bool(before) and _at(text, at) != "]"
        if is_range:
            letter, at = _at(text, at), at + 1
        if letter == "\\":
            letter, at = _at(text, at), at + 1
        if is_range:
            if before <= letter:
                members += f"{re.escape(before)}-{re.escape(letter)}"
            before = ""
        else:
            members += re.escape(letter)
            before = letter
    if not members:
        return ("[^/]" if is_negative else "(?!)"), at + 1
    return f"(?!/)[{'^' * is_negative}{members}]", at + 1


def _named(name: str) -> str:
    if name not in _SPECIAL:
        raise _NeverMatches
    return _SPECIAL[name]


def _at(text: str, at: int) -> str:
    if at >= len(text):
        raise _NeverMatches
    return text[at]


def _expression(tokens: list[str]) -> str:
    """One for the whole path. Parts between two `**` are looked for as one."""
    groups: list[list[str]] = [[]]
    parts = _split(tokens, _SLASH)
    for part in parts:
        if len(part) > 1 and set(part) == {_STAR}:
            groups.append([])
        else:
            groups[-1].append(_part(part))
    if len(groups) == 1:
        return "/".join(groups[0])
    first, *inner, last = groups
    expression = "".join(f"{part}/" for part in first)
    for group in filter(None, inner):
        expression += f"(?>(?:[^/]*+/)*?{'/'.join(group)}/)"
    return expression + (f"(?:[^/]*+/)*{'/'.join(last)}" if last else ".+")


def _part(tokens: list[str]) -> str:
    """Of a part between slashes: what is before the first star, pieces anywhere, the rest."""
    pieces = ["".join(piece) for piece in _split(tokens, _STAR)]
    if len(pieces) == 1:
        return pieces[0]
    first, *inner, last = pieces
    found = "".join(f"(?>{_WITHIN}?{piece})" for piece in inner if piece)
    return f"(?>{first}{found}{_WITHIN}{last}(?=/|\\Z))"


def _split(tokens: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
