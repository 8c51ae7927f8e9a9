"""The runner that the tests here are about."""

import pytest

from sweeps.runners.slurm.runner import SlurmRunner
from tests.slurm import Cluster


@pytest.fixture
def runner(cluster: Cluster) -> SlurmRunner:
    return SlurmRunner()
