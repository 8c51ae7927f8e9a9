"""What pages need on stage: several sweeps at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest

from studio.models import Compute, User, Workspace
from sweeps.models import EngineLease, Sweep
from tests.conftest import NOW
from tests.pages.new_sweep_form import Form

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def parts_are_up(workspace: Workspace) -> None:
    """Engine and queue have just said that they live."""
    for name in ("engine", "queue"):
        lease = {"owner": "a test", "expires_at": FAR, "beat_at": NOW}
        EngineLease.objects.create(name=name, **lease)


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
