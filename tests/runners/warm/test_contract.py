"""All that holds for commands holds as well for those that warm parents start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.runners.base import Runner
from sweeps.runners.warm import parents
from tests.runners.contract import SignsContract
from tests.runners.warm.runner import HOME, WarmRunner


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("warm")
    yield folder
    parents.dismiss(folder)


class TestWarmRunner(SignsContract):
    @pytest.fixture
    def runner(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
        monkeypatch.setenv(HOME, str(home))
        return WarmRunner()
