"""Turns to write, for SQLite lets one writer in at a time."""

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import connection

_writer = threading.Lock()


def turn() -> AbstractContextManager[Any]:
    """This thread's turn to write.

    A writer that finds SQLite locked sleeps in growing steps of up to 0.1 s, and others overtake
    it; a lock hands over at once and in fair order. Other databases need none.
    """
    return _writer if connection.vendor == "sqlite" else nullcontext()
