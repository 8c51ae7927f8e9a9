"""How a command ended. Apart from `base`, because the shim starts as a fresh interpreter for every
command, and dataclasses and pathlib would add a third to its start."""

from enum import StrEnum
from typing import NamedTuple


class EndedBy(StrEnum):
    """What ended a command. Only LOST is worth another attempt without a change by a person."""

    EXIT = "exit"  # by itself, with an exit code
    SIGNAL = "signal"  # by a signal that we did not send
    STOPPED = "stopped"  # because Runner.stop was called
    TIME_LIMIT = "time_limit"  # because it ran longer than LaunchSpec.time_limit_s
    LOST = "lost"  # because what watches over it failed: retryable
    NOT_STARTED = "not_started"  # it never ran: no such program, no such folder


class Result(NamedTuple):
    """How a command ended. Times are Unix seconds; their difference is monotonic time.

    `exit_code` and `signal` are those of the command itself (never of a descendant); both are
    None if it never ran or its end was not seen, except that NOT_STARTED has 127 (not found) or
    126 (cannot be run), as in a shell. `peak_memory_bytes` is the largest resident size that
    any one process of the tree reached. `message` is a sentence for a person, or empty.
    """

    ended_by: EndedBy
    exit_code: int | None
    signal: int | None
    started_at: float
    ended_at: float
    peak_memory_bytes: int | None
    message: str
