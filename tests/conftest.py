"""The cast and the stage: people with roles, a workspace, a compute, a sweep."""

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY
from hypothesis import HealthCheck, settings

from studio.models import Compute, Membership, Role, User, Workspace
from sweeps.domain.job import Sampling, SweepJob
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space_doc import parse_space
from sweeps.models import Sweep
from sweeps.services.sweeps import create_sweep
from tests import long

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPACE = {
    "lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
    "boosting": {"type": "choice", "values": ["gbdt", "dart"]},
}
# A busy machine says nothing of what is tested: no example has a deadline, slow ones are no error.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
# Playwright's own five seconds may go by until a busy machine has shown one page.
COMES_WITHIN_S = 20


pytest_addoption = long.pytest_addoption
pytest_collection_modifyitems = long.pytest_collection_modifyitems


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Expectations of a page are patient, whichever file they are in."""
    if item.get_closest_marker("browser"):
        from playwright.sync_api import expect

        expect.set_options(timeout=COMES_WITHIN_S * 1000)


def pytest_sessionfinish() -> None:
    """Close what a process keeps for as long as it lives, if a test had it opened."""
    if local := sys.modules.get("sweeps.runners.local"):
        local._starter.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real Slurm, for tests marked so; the same one for all."""
    from tests.slurm import find_slurm, slurm

    assert find_slurm(), "Slurm is not installed; leave these tests out with -m 'not slurm'."
    with slurm(tmp_path_factory.mktemp("slurm") / "home") as found:
        yield found


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A real Ray cluster, for tests marked so; the same one for all."""
    from tests.ray import find_ray, ray

    assert find_ray(), "Ray is not installed; leave these tests out with -m 'not ray'."
    # Ray's sockets lie there, whose paths may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as home, ray(Path(home)) as found:
        yield found


@pytest.fixture
def now() -> datetime:
    """Noon of the day on which every test plays."""
    return NOW


def person(name: str, workspace: Workspace | None, role: Role | None) -> User:
    """An account, a member of `workspace` if a role is given."""
    user = User.objects.create_user(username=name, password=f"{name}-secret-1")
    if workspace and role:
        Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


@pytest.fixture
def workspace(db: None) -> Workspace:
    """The workspace in which most tests play."""
    return Workspace.objects.create(name="default", created_at=NOW)


@pytest.fixture
def alice(workspace: Workspace) -> User:
    """Owns the workspace."""
    return person("alice", workspace, Role.OWNER)


@pytest.fixture
def bob(workspace: Workspace) -> User:
    """Contributes: runs code."""
    return person("bob", workspace, Role.CONTRIBUTOR)


@pytest.fixture
def rita(workspace: Workspace) -> User:
    """Reads only."""
    return person("rita", workspace, Role.READER)


@pytest.fixture
def charlie(workspace: Workspace) -> User:
    """Has an account and a workspace of his own, and nothing to do with this one."""
    elsewhere = Workspace.objects.create(name="elsewhere", created_at=NOW)
    return person("charlie", elsewhere, Role.OWNER)


@pytest.fixture
def compute(workspace: Workspace) -> Compute:
    """Two slots on this machine."""
    return Compute.objects.create(workspace=workspace, name="local", slots=2, is_default=True)


def job(**changes: object) -> SweepJob:
    """A sweep job: 4 trials, 2 at a time, random, minimize loss."""
    fields: dict[str, object] = {
        "command": "python train.py --lr ${{search_space.lr}} --b ${{search_space.boosting}}",
        "search_space": parse_space(SPACE),
        "objective": Objective("loss", Goal.MINIMIZE),
        "limits": Limits(4, 2, 3600),
        "sampling": Sampling("random", seed=7),
    }
    return SweepJob(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def make_sweep(workspace: Workspace, compute: Compute) -> Callable[..., Sweep]:
    """Makes sweeps of `job(**changes)`."""

    def make(**changes: object) -> Sweep:
        return create_sweep(
            workspace,
            job(**changes),
            compute=compute,
            code=None,
            user=None,
            now=NOW,
            rng=random.Random(1),
        )

    return make


@pytest.fixture
def sweep(make_sweep: Callable[..., Sweep]) -> Sweep:
    """A queued sweep of `job()`."""
    return make_sweep()


@pytest.fixture
def wake_ups() -> Callable[[], list[tuple[str, int]]]:
    """What has been queued since, as (task, id)."""
    HUEY.flush()
    return lambda: [(task.name, task.args[0]) for task in HUEY.pending()]
