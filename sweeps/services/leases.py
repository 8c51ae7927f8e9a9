"""Rights that one process holds for a while, by name: the engine's lead, forwarding a run.

By hand, because every trial takes several: one statement, which decides and writes in one step, in
a tenth of the time that Django takes to make two.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from sweeps.models import EngineLease

_TABLE = EngineLease._meta.db_table
_ACQUIRE = (
    f"INSERT INTO {_TABLE} (name, owner, expires_at, beat_at) VALUES (%s, %s, %s, %s) "  # noqa: S608
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at, "
    f"beat_at = excluded.beat_at WHERE {_TABLE}.owner = excluded.owner OR {_TABLE}.expires_at < %s"
)
_RELEASE = f"DELETE FROM {_TABLE} WHERE name = %s AND owner = %s"  # noqa: S608
_HELD = f"SELECT 1 FROM {_TABLE} WHERE name = %s AND expires_at >= %s"  # noqa: S608


def acquire(name: str, owner: str, now: datetime, seconds: float) -> bool:
    """Take or renew the lease; False while somebody else holds it."""
    moment, end = _column(now), _column(now + timedelta(seconds=seconds))
    with connection.cursor() as cursor:
        cursor.execute(_ACQUIRE, [name, owner, end, moment, moment])
        return bool(cursor.rowcount)


def release(name: str, owner: str) -> None:
    """Give the lease back."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [name, owner])


def held(name: str, now: datetime) -> bool:
    """True while anybody holds the lease."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [name, _column(now)])
        return cursor.fetchone() is not None


def holder(name: str) -> str:
    """Who took the lease last; empty if nobody has it."""
    found = EngineLease.objects.filter(name=name).values_list("owner", flat=True).first()
    return found or ""


def clear(name: str) -> None:
    """Take the lease from whoever holds it."""
    EngineLease.objects.filter(name=name).delete()


def _column(moment: datetime) -> Any:
    """A time as this database keeps it."""
    return connection.ops.adapt_datetimefield_value(moment)
