"""One caller's calls take no more threads than its share."""

import threading

import pytest

from sweeps.gateway.refusals import Refusal
from sweeps.gateway.under_way import UnderWay


def test_one_too_many_is_told_to_come_again_and_others_go_on() -> None:
    under_way = UnderWay(2)
    with under_way.one_of("b"), under_way.one_of("b"):
        with pytest.raises(Refusal) as refused, under_way.one_of("b"):
            pytest.fail("a third is under way")
        assert (refused.value.status, refused.value.retry_s) == (429, 1)
        with under_way.one_of("a"):
            pass
    with under_way.one_of("b"):
        pass
    assert not under_way._of, "nothing is remembered of who has gone"


def test_what_fails_is_under_way_no_more() -> None:
    under_way = UnderWay(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), under_way.one_of("b"):
            raise ValueError("broken")


def test_threads_are_counted_together() -> None:
    under_way, begun, go = UnderWay(1), threading.Event(), threading.Event()

    def hold() -> None:
        with under_way.one_of("b"):
            begun.set()
            assert go.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(20)
    with pytest.raises(Refusal), under_way.one_of("b"):
        pytest.fail("a second is under way")
    go.set()
    thread.join(20)
    with under_way.one_of("b"):
        pass


def test_what_goes_on_without_us_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("sweeps.gateway.under_way.time.monotonic", lambda: now[0])
    under_way = UnderWay(2, TimeoutError, after_s=60.0)
    with pytest.raises(TimeoutError), under_way.one_of("b"):
        raise TimeoutError
    with under_way.one_of("b"), pytest.raises(Refusal), under_way.one_of("b"):
        pytest.fail("the first is still at it")
    with under_way.one_of("a"):
        pass
    now[0] += 60.0
    with under_way.one_of("b"), under_way.one_of("b"):
        pass
    assert not under_way._of
