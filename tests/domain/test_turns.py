"""Slots that workspaces share."""

from sweeps.domain.turns import Turns


def of(workspace: int, many: int) -> list[tuple[str, set[int]]]:
    return [(f"{workspace}.{number}", {workspace}) for number in range(many)]


def test_one_never_holds_all_and_those_of_others_come_first_however_late() -> None:
    turns = Turns()
    assert turns.pick(3, [], of(1, 9)) == ["1.0", "1.1"]
    assert turns.pick(3, [{1}, {1}], [*of(1, 9), *of(2, 1)]) == ["2.0"]
    assert turns.pick(3, [{1}, {1}, {2}], of(3, 1)) == []


def test_among_those_who_hold_as_much_who_waited_longest_is_next() -> None:
    turns = Turns()
    assert turns.pick(2, [], [*of(1, 9), *of(2, 9), *of(3, 9)]) == ["1.0", "2.0"]
    assert turns.pick(2, [{2}], [*of(1, 9), *of(2, 9), *of(3, 9)]) == ["3.0"]
    assert turns.pick(2, [{3}], [*of(1, 9), *of(2, 9), *of(3, 9)]) == ["1.0"]


def test_what_several_want_is_begun_if_one_of_them_may() -> None:
    turns = Turns()
    assert turns.pick(3, [{1}, {1}], [("both", {1, 2})]) == ["both"]
    assert turns.pick(3, [{1, 2}, {1}], [("own", {1}), ("both", {1, 2})]) == ["both"]


def test_a_single_slot_goes_round() -> None:
    turns = Turns()
    both = [*of(1, 9), *of(2, 9)]
    assert [turns.pick(1, [], both)[0][0] for _ in range(4)] == ["1", "2", "1", "2"]
