"""However long somebody's requests take, and however many there are, others find a thread."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from studio.serving.pool import Pool

WORKING = 16


class Owners:
    """By the first letter of a request, once it was looked up."""

    def __init__(self) -> None:
        self.looked_up: dict[str, str] = {}

    def known(self, request: str) -> str | None:
        return self.looked_up.get(request)

    def learn(self, requests: Sequence[str]) -> None:
        self.looked_up |= {request: request[0] for request in requests}


class Stage:
    """A pool whose requests take until they are let go."""

    def __init__(self) -> None:
        self.owners = Owners()
        self.pool = Pool(WORKING, WORKING + 32, lambda: None, self.owners)
        self.begun: list[str] = []
        self.let_go = {owner: threading.Event() for owner in "abc"}

    def ask(self, owner: str, many: int) -> None:
        for at in range(many):
            self.pool.submit(self._work, f"{owner}{at} {len(self.begun)}")

    def _work(self, request: str) -> None:
        self.begun.append(request)
        self.let_go[request[0]].wait(30)

    def settle(self, **many: int) -> None:
        """Until so many have begun; more do not."""
        end = time.monotonic() + 20
        while self.count() != many and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        assert self.count() == many

    def count(self) -> dict[str, int]:
        return dict(Counter(request[0] for request in self.begun))


@pytest.fixture
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    for event in found.let_go.values():
        event.set()
    found.pool.shutdown()


def test_who_asks_for_much_leaves_threads_to_others(stage: Stage) -> None:
    stage.ask("a", 64)
    stage.settle(a=12)
    stage.ask("b", 2)
    stage.settle(a=12, b=2)
    stage.ask("c", 1)
    stage.settle(a=12, b=2, c=1)


def test_everything_is_done_in_the_end(stage: Stage) -> None:
    stage.ask("a", 64)
    stage.ask("b", 64)
    stage.settle(a=12, b=3)
    stage.let_go["a"].set()
    stage.settle(a=64, b=12)
    stage.let_go["b"].set()
    stage.settle(a=64, b=64)


def test_of_too_many_requests_the_newest_of_whoever_has_the_most_go(stage: Stage) -> None:
    stage.ask("a", 64)
    stage.settle(a=12)
    stage.ask("b", 5)
    stage.settle(a=12, b=3)
    stage.pool.thin(54)
    stage.pool.thin(20)
    for owner in "ab":
        stage.let_go[owner].set()
    stage.settle(a=12 + 13, b=5)
    assert {f"a{at}" for at in range(25)} <= {request.split()[0] for request in stage.begun}


def test_nobody_looks_for_owners_while_threads_are_free(stage: Stage) -> None:
    stage.ask("a", 11)
    stage.settle(a=11)
    assert not stage.owners.looked_up
