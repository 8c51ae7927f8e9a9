"""What pages need on stage: several sweeps at once."""

from collections.abc import Callable
from itertools import count

import pytest
from huey.contrib.djhuey import HUEY

from studio.models import Compute, User, Workspace
from sweeps.models import Sweep
from tests.pages.new_sweep_form import Form


@pytest.fixture
def another_sweep(make_sweep: Callable[..., Sweep]) -> Callable[..., Sweep]:
    """Like make_sweep, each with a name of its own."""
    numbers = count(1)

    def make(**changes: object) -> Sweep:
        return make_sweep(name=f"sweep_{next(numbers):03}", **changes)

    return make


@pytest.fixture
def form(bob: User, workspace: Workspace, compute: Compute) -> Form:
    """The empty new-sweep form, in Bob's hands."""
    return Form(bob, workspace)


@pytest.fixture
def wake_ups() -> Callable[[], list[tuple[str, int]]]:
    """What has been queued since, as (task, id)."""
    HUEY.flush()
    return lambda: [(task.name, task.args[0]) for task in HUEY.pending()]
