"""A stage per worker, whose parents leave with it."""

from collections.abc import Iterator

import pytest

from sweeps.runners.warm import parents
from tests.runners.warm.stage import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Shared, so that scripts share parents."""
    own = Stage(tmp_path_factory.mktemp("stage"))
    yield own
    parents.dismiss(own.home)
