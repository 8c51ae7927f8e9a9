"""Attempts of which no process of this machine is looked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest


def forget_launches(folder: Path) -> None:
    """Take launches from the record: else each is waited for, as a guard here may still come."""
    for path in folder.rglob("launch.json"):
        path.unlink()


@pytest.fixture(autouse=True)
def _forget(_end_what_is_left: None, tmp_path: Path) -> Iterator[None]:
    yield
    forget_launches(tmp_path)
