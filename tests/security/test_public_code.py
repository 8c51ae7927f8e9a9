"""Code that is named as a folder of the machine, where only what is everybody's may be read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.public import NotPublic, open_public
from sweeps.domain.problems import InvalidInput
from sweeps.stores import snapshots
from tests.isolated import open_folder
from tests.stores.test_snapshots import folder


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as found:
        yield found


def open_code(place: Path, **more: bytes) -> Path:
    """A folder of code that every user may read."""
    root = folder(place / "code", {"train.py": b"1", "word": b"2", "open/a.py": b"3", **more})
    for path in (root, *root.rglob("*")):
        path.chmod(0o755)
    return root


def kept(place: Path, root: Path) -> snapshots.Snapshot:
    return snapshots.snapshot_folder(place / "kept", root, public=True)


@pytest.mark.parametrize("name", [".amlignore", ".gitignore"])
def test_an_ignore_file_is_no_way_to_ask_what_stands_in_a_closed_one(
    place: Path, name: str
) -> None:
    root = open_code(place)
    (place / "closed").write_text("word\n")
    (place / "closed").chmod(0o600)
    (root / name).symlink_to(place / "closed")
    with pytest.raises(InvalidInput, match="cannot be read"):
        kept(place, root)
    (root / name).unlink()
    os.link(place / "closed", root / name)
    with pytest.raises(InvalidInput, match="not every user of this machine may read"):
        kept(place, root)


def test_an_ignore_file_that_everybody_may_read_leaves_out_what_it_says(place: Path) -> None:
    root = open_code(place, **{".amlignore": b"word\n"})
    assert kept(place, root).names == (".amlignore", "open/a.py", "train.py")


def test_what_only_those_find_who_know_its_name_is_not_found_for_others(place: Path) -> None:
    root = open_code(place)
    (root / "open").chmod(0o711)
    with pytest.raises(NotPublic, match=r"may look into .*open"):
        open_public(root, "open/a.py")
    with pytest.raises(InvalidInput, match=r"may look into .*open\.$"):
        kept(place, root)


def test_a_file_that_grows_while_it_is_read_is_as_long_as_it_was(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = open_code(place)

    def late(folder: Path, name: str) -> Any:
        os.truncate(folder / name, 2**30)
        return open_public(folder, name)

    monkeypatch.setattr(snapshots, "open_public", late)
    found = kept(place, root)
    assert found.size == 3
    for name in found.names:
        os.truncate(root / name, 1)
