"""How a trial's command was started."""

from typing import Any, NamedTuple

MAX_COLD = 500


class How(NamedTuple):
    """Whether it was forked from a preloaded process (None: not known), and why it was not."""

    preloaded: bool | None = None
    cold: str = ""

    def changes(self) -> dict[str, Any]:
        """What an attempt remembers of it."""
        if self.preloaded is None:
            return {}
        return {"preloaded": self.preloaded, "cold": self.cold[:MAX_COLD]}


UNKNOWN = How()
