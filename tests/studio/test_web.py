"""The web process looks for unreachable circles of objects less often than Python would."""

import gc
from collections.abc import Iterator

import pytest

from studio.web import Web


@pytest.fixture
def looks() -> Iterator[list[str]]:
    """What the collector does; it is as before in the end."""
    before, seen = gc.get_threshold(), []

    def noted(phase: str, _: object) -> None:
        seen.append(phase)

    gc.callbacks.append(noted)
    yield seen
    gc.callbacks.remove(noted)
    gc.set_threshold(*before)


def test_a_large_chart_is_no_reason_to_look_hundreds_of_times(looks: list[str]) -> None:
    Web([]).load()
    looks.clear()
    dots = [(number, None) for number in range(100_000)]
    assert len(dots) == 100_000
    assert 0 < looks.count("start") <= 10
