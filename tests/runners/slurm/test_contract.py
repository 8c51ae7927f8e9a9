"""All that holds for commands on this machine holds for batch jobs of a real Slurm."""

import pytest

from sweeps.runners.base import Runner
from sweeps.runners.slurm.runner import SlurmRunner
from tests.runners.contract import CommandContract
from tests.slurm import Cluster

pytestmark = pytest.mark.slurm


class TestSlurmRunner(CommandContract):
    adds = ("SLURM_", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL")

    @pytest.fixture
    def runner(self, cluster: Cluster) -> Runner:
        return SlurmRunner()
