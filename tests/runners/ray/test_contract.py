"""All that holds for commands on this machine holds for jobs of a real Ray cluster."""

import pytest

from sweeps.runners.base import Runner
from tests.runners.contract import CommandContract
from tests.runners.ray.conftest import Relayed

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]


class TestRayRunner(CommandContract):
    adds = ("RAY_", "CUDA_VISIBLE_DEVICES")

    @pytest.fixture
    def runner(self, runner: Relayed) -> Runner:
        return runner
