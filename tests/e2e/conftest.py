"""One studio for all tests of this folder; those that stop it start one of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import wait_none_left
from tests.e2e.studios import Studio


def end(studio: Studio) -> None:
    """Stop the studio, for good, whatever the test did to it."""
    studio.close()
    wait_none_left(studio.home)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that runs."""
    shared = Studio(tmp_path_factory.mktemp("studio"))
    try:
        shared.start()
        yield shared
    finally:
        end(shared)


@pytest.fixture
def own_studio(tmp_path: Path) -> Iterator[Callable[[], Studio]]:
    """Makes a studio of the test's own, not yet started."""
    made: list[Studio] = []

    def make() -> Studio:
        made.append(Studio(tmp_path / f"home{len(made)}"))
        return made[-1]

    yield make
    for studio in made:
        end(studio)
