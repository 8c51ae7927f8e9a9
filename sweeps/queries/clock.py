"""What time it is, by the one clock that all who compare times share."""

from datetime import UTC, datetime

from django.db import connection

# STATEMENT_TIMESTAMP, as Django's Now(): PostgreSQL's NOW() stands still within a transaction.
_SELECT = {
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')",
}


def database_now() -> datetime:
    """The present moment by the database's clock.

    For whatever is compared with a time that another process wrote: leases, claims, timeouts. Two
    hosts (or a process whose clock was set) may differ by hours, and must not take each other for
    dead.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SELECT[connection.vendor])
        [moment] = cursor.fetchone()
    if isinstance(moment, str):  # SQLite knows no times
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment  # type: ignore[no-any-return]
