"""Reading what a command wrote."""

import re
from pathlib import Path

from sweeps.queries.logs import log_size, read_log

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL = 8192
_LONGEST = 300


def last_words(spool: Path) -> str:
    """The last line of the error log that says something, at most 300 characters; "" if none."""
    start = max(0, log_size(spool, "stderr") - _TAIL)
    # PostgreSQL's text knows no NUL.
    text = read_log(spool, "stderr", start, _TAIL).text.replace("\x00", "\ufffd")
    lines = [line.strip() for line in _ANSI.sub("", text).splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if lines else ""
