"""Reading the studio's log: what went wrong in it that nobody accounts for."""

import re
from collections.abc import Iterator, Sequence

TRACEBACK = "Traceback (most recent call last):"
_LINE = re.compile(r"^(\w+) +\| ?(.*)$")
# The last line of a traceback, the only one that is not indented: `package.Error: what happened`.
_END = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning|[A-Z]\w+)\b")


def errors(log: str) -> Iterator[str]:
    """The last line of every traceback, with the part's name in front."""
    inside: set[str] = set()
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        part, text = match.groups()
        if text.lstrip().startswith(TRACEBACK):
            inside.add(part)
        elif part in inside and _END.match(text):
            inside.discard(part)
            yield f"{part}: {text}"


def unaccounted(log: str, expected: Sequence[str] = ()) -> list[str]:
    """Ends of tracebacks, and answers with a server error, that no pattern of `expected` fits."""
    found = [*errors(log), *(line for line in log.splitlines() if "Internal Server Error" in line)]
    return [line for line in found if not any(re.search(pattern, line) for pattern in expected)]
