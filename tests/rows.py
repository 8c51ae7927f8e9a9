"""A pytest plugin (`-p tests.rows`): only tests that use the database, and not those marked `once`.

The stage on PostgreSQL loads it: what reads no row has been tested on SQLite already.
"""

import pytest

USING = {"db", "transactional_db", "django_db_setup", "live_server"}


def may_differ(item: pytest.Item) -> bool:
    """Whether another database may give another result: by the test's words or its fixtures'."""
    uses = USING & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db")
    return bool(uses) and item.get_closest_marker("once") is None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others out, and say so in the last line, as `-m` does."""
    others = [item for item in items if not may_differ(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if may_differ(item)]
