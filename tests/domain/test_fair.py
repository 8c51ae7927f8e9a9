"""Sharing slots among sweeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.domain.fair import Claimant, allocate


def shares(free, *claimants):
    return tuple(allocate(free, [Claimant(i, *c) for i, c in enumerate(claimants)]).values())


@pytest.mark.parametrize(
    ("free", "claimants", "expected"),
    [
        (4, [(0, 9)], (4,)),
        (4, [(0, 3)], (3,)),
        (0, [(0, 3)], (0,)),
        (-1, [(0, 3)], (0,)),
        (4, [(0, 9), (0, 9)], (2, 2)),
        (4, [(0, 1), (0, 9)], (1, 3)),
        (2, [(4, 9), (0, 9)], (0, 2)),
        (2, [(1, 9), (0, 9)], (1, 1)),
        (3, [(1, 9), (0, 9)], (1, 2)),
        (1, [(0, 9, 7), (0, 9, 3)], (0, 1)),
        (1, [(0, 9, 3), (0, 9, 3)], (1, 0)),
    ],
)
def test_slots_go_to_whoever_holds_the_fewest_then_waited_longest(free, claimants, expected):
    assert shares(free, *claimants) == expected


def test_a_single_slot_goes_round():
    last, order = {0: 2, 1: 1, 2: 0}, []
    for turn in range(3, 9):
        given = allocate(1, [Claimant(key, 0, 9, at) for key, at in last.items()])
        [winner] = [key for key, count in given.items() if count]
        last[winner] = turn
        order.append(winner)
    assert order == [2, 1, 0, 2, 1, 0]


@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5),
)
def test_nothing_is_given_twice_nor_left_while_somebody_wants_it(free, claimants):
    given_ = shares(free, *claimants)
    wants = [wants for _, wants in claimants]
    assert sum(given_) == min(free, sum(wants))
    assert all(got <= want for got, want in zip(given_, wants, strict=True))
    held = [taken + got for (taken, _), got in zip(claimants, given_, strict=True)]
    for i, got in enumerate(given_):
        # Whoever got one stands at most one above anybody who still wants more.
        if got:
            hungry = [held[j] for j, want in enumerate(wants) if given_[j] < want]
            assert all(held[i] <= other + 1 for other in hungry)
