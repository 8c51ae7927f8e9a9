"""What a database says that is busy, full, restarting or gone for a moment."""

from django.db import InterfaceError, OperationalError

TROUBLE = (OperationalError, InterfaceError)
