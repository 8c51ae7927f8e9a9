"""Where an attempt's files lie.

Rows hold absolute paths, as they were when the attempt began. A home may have been moved or copied
since, database and all; what an old path leads to then is another studio's, with its own running
commands. So a path from a row is always taken to lie in the home of this studio.
"""

from pathlib import Path

from django.conf import settings

from sweeps.models import Attempt


def spool_of(attempt: Attempt) -> Path:
    """The attempt's folder under the present home."""
    return Path(_place(attempt.spool))


def _place(spool: str) -> str:
    *_, sweep, name = spool.rstrip("/").split("/")
    return f"{settings.STUDIO_HOME}/trials/{sweep}/{name}"


def handle_of(attempt: Attempt) -> str:
    """The runner's handle; "" before the start. A handle that is a path moves with the spool."""
    return _place(attempt.spool) if attempt.handle == attempt.spool else attempt.handle
