"""What failed trials have in common: a line without the numbers that differ from trial to trial."""

import re

from sweeps.domain.verdict import Ending, Outcome

LONGEST = 300
_CHANGING = re.compile(
    r"0x[0-9a-f]+"  # addresses
    r"|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b"  # digests, uuids, run ids
    r"|(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])",  # numbers
    re.IGNORECASE,
)
_SPOOL = re.compile(r"\S*/trials/[0-9a-f]{32}/\d+\.\d+/(?:work/)?")


def signature_of(outcome: Outcome, reason: str) -> str:
    """A line that is the same for failures of one cause, at most 300 characters.

    The last line of a traceback, else the exit code, the signal, or the reason itself.
    """
    match outcome.ending:
        case Ending.EXIT if outcome.exit_code and outcome.last_words:
            text = _alike(outcome.last_words)
        case Ending.EXIT if outcome.exit_code:
            text = f"Exit code {outcome.exit_code} without a word"
        case Ending.SIGNAL:
            text = f"Killed by signal {outcome.signal}"
        case Ending.LOST:
            text = "Lost by the machine"
        case _:
            text = _alike(reason)
    return text[:LONGEST]


def _alike(text: str) -> str:
    return _CHANGING.sub("#", _SPOOL.sub("", text))
