"""Work of which only so much is done at once, and of nobody all."""

from typing import Any

from sweeps.engine.turns import Turns


def test_what_comes_beyond_waits_once_and_in_order() -> None:
    turns, done, later = Turns(1), list[Any](), list[Any]()

    def work(key: str) -> str:
        done.append(key)
        for other in ("b", "c", "b"):
            if key == "a":
                assert turns.take(later.append, other, work) is None
        return key

    assert turns.take(later.append, "a", work) == "a"
    assert (done, later) == (["a"], ["b"])
    assert turns.take(later.append, "b", work) == "b"
    assert later == ["b", "c"]


def test_one_owner_has_so_many_turns_and_others_go_past() -> None:
    turns, done, later = Turns(3, of_one=1), list[Any](), list[Any]()

    def slow(key: str) -> None:
        done.append(key)
        assert turns.take(later.append, "mine", slow, "me") is None, "one is at it"
        assert turns.take(later.append, "theirs", done.append, "them") is None
        assert done[-1] == "theirs"

    turns.take(later.append, "first", slow, "me")
    assert (done, later) == (["first", "theirs"], ["mine"])


def test_who_waits_longest_and_may_comes_next() -> None:
    turns, later = Turns(2, of_one=1), list[Any]()

    def outer(_key: str) -> None:
        def inner(_key: str) -> None:
            for name, owner in (("a2", "a"), ("c1", "c"), ("b2", "b")):
                turns.take(later.append, name, later.append, owner)

        turns.take(later.append, "b1", inner, "b")
        assert later == ["c1"], "a2 waits for a1, which came before"

    turns.take(later.append, "a1", outer, "a")
    assert later == ["c1", "a2"]
