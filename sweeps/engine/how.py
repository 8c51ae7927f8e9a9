"""How a runner started a command, in the words of the trial's record."""

from sweeps.domain.started import UNKNOWN, How
from sweeps.runners.base import Runner


def how_of(runner: Runner, handle: str) -> How:
    """Whether it came from a preloaded process, and why not."""
    how = runner.how(handle)
    return How(how.warm, how.reason) if how else UNKNOWN
