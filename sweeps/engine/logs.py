"""Reading what a command wrote."""

import re
from pathlib import Path

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL = 8192
_LONGEST = 300


def last_words(spool: Path) -> str:
    """The last line of the error log that says something, at most 300 characters; "" if none."""
    try:
        with (spool / "stderr.log").open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            # PostgreSQL's text knows no NUL.
            text = file.read().decode(errors="replace").replace("\x00", "\ufffd")
    except FileNotFoundError:
        return ""
    lines = [line.strip() for line in _ANSI.sub("", text).splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if lines else ""
