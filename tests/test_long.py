"""What is left out unless `--long` asks for it."""

from types import SimpleNamespace

import pytest

from tests.long import pytest_collection_modifyitems


def kept(request: pytest.FixtureRequest, *, long: bool) -> tuple[list[object], list[object]]:
    """Which of (this test, one marked long) stay, and which are told as left out."""
    marked = SimpleNamespace(path=request.path, get_closest_marker=lambda name: name == "long")
    told: list[object] = []
    config = SimpleNamespace(
        getoption=lambda name: long,
        hook=SimpleNamespace(pytest_deselected=lambda items: told.extend(items)),
    )
    items = [request.node, marked]
    pytest_collection_modifyitems(config, items)  # type: ignore[arg-type]
    return [item is marked for item in items], [item is marked for item in told]


def test_what_is_long_is_left_out_and_told(request: pytest.FixtureRequest) -> None:
    assert kept(request, long=False) == ([False], [True])


def test_it_runs_where_it_was_asked_for(request: pytest.FixtureRequest) -> None:
    assert kept(request, long=True) == ([False, True], [])


@pytest.mark.long
def test_this_one_runs_in_make_security_only(request: pytest.FixtureRequest) -> None:
    assert request.config.getoption("--long")
