"""Tests marked `long` run where they were asked for by `--long`, as `make security` does.

Not by `-m "not long"` among the default options: any other `-m` would put that out of force. What
is in tests/security is marked `security`, so that one `-m` finds both.
"""

from pathlib import Path

import pytest

SECURITY = Path(__file__).resolve().parent / "security"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `--long` be said."""
    parser.addoption("--long", action="store_true", help="also run what is marked long")


# First, so that `-m` sees the mark.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones out unless it was, and say how many they were (as deselected)."""
    for item in items:
        if SECURITY in item.path.parents:
            item.add_marker("security")
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
