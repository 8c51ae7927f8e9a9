"""What goes by: a database that is busy, full, restarting or gone, a disk that is full."""

import errno
import os

from django.db import InterfaceError, OperationalError

TROUBLE = (OperationalError, InterfaceError)
# No room on the disk, or in the user's share of it.
_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """True if the error, or what it came from, is a full disk; shutil tells it in words only."""
    words = str(error)
    if any(os.strerror(number) in words for number in _FULL):
        return True
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return error.__cause__ is not None and is_full(error.__cause__)
