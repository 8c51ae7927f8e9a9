"""Comments of a job file, carried over to a newly written one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from sweeps.domain.problems import InvalidInput
from sweeps.spec import yaml_text

Path = yaml_text.Path
# How comments begin that the studio itself writes, anew each time.
OURS = "# required"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Comments:
    """Comments by the key they stand above, or behind; `first` are those before
    everything, `last` those after it."""

    above: dict[Path, list[str]] = field(default_factory=dict)
    behind: dict[Path, str] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)


def with_comments(new: str, old: str) -> str:
    """The new text with the comments of the old one, each at its key.

    Where the key is gone, at what enclosed it. Texts that cannot be read give theirs to nobody.
    """
    try:
        before, after = _lines(old), _lines(new)
        found = _comments(old, before)
    except (InvalidInput, yaml.YAMLError):
        return new
    lines = new.splitlines()
    above: dict[int, list[str]] = {}
    for path, texts in found.above.items():
        above.setdefault(after.get(_nearest(path, after), 1), []).extend(texts)
    for path, text in found.behind.items():
        number = after.get(_nearest(path, after), 1)
        if path in after and "#" not in lines[number - 1] and lines[number - 1][-1:] not in "|>-+":
            lines[number - 1] += f"  {text}"
        else:
            above.setdefault(number, []).append(text)
    out: list[str] = []
    for number, line in enumerate(lines, 1):
        indent = " " * (len(line) - len(line.lstrip()))
        out += [indent + text if text else "" for text in above.get(number, [])]
        out.append(line)
    return "\n".join([*found.first, *out, *found.last]) + "\n"


def _nearest(path: Path, lines: Mapping[Path, int]) -> Path:
    while path and path not in lines:
        path = path[:-1]
    return path


def _lines(text: str) -> dict[Path, int]:
    return {path: line for path, (line, _) in yaml_text.load(text).positions.items()}


def _comments(text: str, lines: Mapping[Path, int]) -> _Comments:
    found = _Comments()
    by_line: dict[int, Path] = {}
    for path, line in lines.items():
        if path and (line not in by_line or len(path) < len(by_line[line])):
            by_line[line] = path
    keys, rows = sorted(by_line), text.splitlines()
    for number, column, comment in _found(text):
        before = [line for line in keys if line <= number]
        after = [line for line in keys if line >= number]
        if rows[number - 1][:column].strip() and before:
            path = by_line[before[-1]]
            found.behind[path] = f"{found.behind.get(path, '')} {comment}".lstrip()
        elif after and after[0] == keys[0]:
            found.first.append(comment)
        elif after:
            found.above.setdefault(by_line[after[0]], []).append(comment)
        else:
            found.last.append(comment)
    return found


def _found(text: str) -> list[tuple[int, int, str]]:
    """Line (1-based), column and text of every comment that the studio has not written itself."""
    inside = _scalars(text)
    found = []
    for number, line in enumerate(text.splitlines()):
        for start in re.finditer(r"(?<!\S)#", line):
            place = (number, start.start())
            if any(low <= place < high for low, high in inside.get(number, ())):
                continue
            comment = line[start.start() :].rstrip()
            if not comment.startswith(OURS):
                found.append((number + 1, start.start(), comment))
            break
    return found


def _scalars(text: str) -> dict[int, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """Where scalars stand, by the lines that they touch: a # in them begins no comment."""
    spans: dict[int, list[tuple[tuple[int, int], tuple[int, int]]]] = {}
    for token in yaml.scan(text, Loader=_LOADER):
        if isinstance(token, yaml.ScalarToken):
            low = (token.start_mark.line, token.start_mark.column)
            high = (token.end_mark.line, token.end_mark.column)
            for line in range(low[0], high[0] + 1):
                spans.setdefault(line, []).append((low, high))
    return spans
