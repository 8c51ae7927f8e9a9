"""Studios of the drills: one on SQLite, one on PostgreSQL and Redis, for the whole run."""

from collections.abc import Iterator

import pytest

from tests.chaos.drill import SLOTS
from tests.chaos.servers import servers
from tests.e2e.processes import wait_none_left
from tests.e2e.studios import Studio


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """A studio that runs."""
    home = tmp_path_factory.mktemp(request.param) / "home"
    if request.param == "sqlite":
        yield from running(Studio(home, SLOTS))
    else:
        with servers() as both:
            yield from running(Studio(home, SLOTS, **both.environment()))


def running(studio: Studio) -> Iterator[Studio]:
    """The studio from its start to its end, whatever was done to it."""
    try:
        studio.start()
        yield studio
    finally:
        studio.close()
        wait_none_left(studio.home)
