"""Trials in slots: no two in one at a time, no more slots than needed, and how many were busy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.domain.occupancy import busy, pack, peak

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), min_size=1, max_size=30).map(
    lambda pairs: sorted((float(s), float(s + n)) for s, n in pairs)
)


@given(SPANS)
def test_nobody_shares_a_lane_and_there_are_as_many_as_ran_at_once(spans) -> None:
    starts, ends = zip(*spans, strict=True)
    lanes = pack(starts, ends)
    for lane in set(lanes):
        own = [span for span, at in zip(spans, lanes, strict=True) if at == lane]
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(own))
    most = max(sum(s <= moment < e for s, e in spans) for moment in starts)
    assert max(lanes) + 1 == most == peak(np.array(starts), np.array(ends))


@given(SPANS)
def test_busy_slots_add_up_to_the_time_spent(spans) -> None:
    starts, ends = (np.array(side) for side in zip(*spans, strict=True))
    edges = np.linspace(0.0, float(ends.max()), 8)
    found = busy(starts, ends, edges)
    assert (found * np.diff(edges)).sum() == pytest.approx((ends - starts).sum())
    assert found.max() <= peak(starts, ends) + 1e-9


def test_half_a_step_with_two_and_half_with_none_is_one() -> None:
    two = np.array([0.0, 0.0]), np.array([5.0, 5.0])
    assert busy(*two, np.array([0.0, 10.0, 20.0])).tolist() == [1.0, 0.0]
