"""What pages need on stage: several sweeps at once."""

from collections.abc import Callable
from itertools import count

import pytest

from sweeps.models import Sweep


@pytest.fixture
def another_sweep(make_sweep: Callable[..., Sweep]) -> Callable[..., Sweep]:
    """Like make_sweep, each with a name of its own."""
    numbers = count(1)

    def make(**changes: object) -> Sweep:
        return make_sweep(name=f"sweep_{next(numbers):03}", **changes)

    return make
