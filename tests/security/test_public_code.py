"""Code that is named as a folder of the machine, where only what is everybody's may be read."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.public import NotPublic, open_public, walk_public
from sweeps.domain.problems import InvalidInput
from sweeps.stores import snapshots
from sweeps.stores.code_files import walk
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


def said(place: Path, root: Path) -> str:
    with pytest.raises(InvalidInput) as error:
        kept(place, root)
    return error.value.problems[0].message


@pytest.mark.parametrize("name", ["salary.csv", "a\nb", "train.py"])
def test_patterns_and_names_tell_nothing_of_a_closed_folder(place: Path, name: str) -> None:
    root = open_code(place, **{".amlignore": b"/*\n!/open\n/open/*\n!/open/s*\n"})
    (root / "open" / name).write_text("1")
    (root / "open").chmod(0o700)
    assert said(place, root).endswith(f"may look into {root}/open.")
    # Whoever looks ahead sees a folder that everybody may enter, and another when it is listed.
    (root / "open").chmod(0o755)
    shutil.rmtree(root / "open")
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / name).write_text("1")
    (root / "open").symlink_to(place / "closed")
    (root / ".amlignore").unlink()
    assert "open/" not in " ".join(kept(place, root).names)


def test_the_folder_itself_is_judged_before_it_is_listed(place: Path) -> None:
    root = open_code(place)
    root.chmod(0o711)
    with pytest.raises(NotPublic, match="may look into"):
        list(walk(root, listed=walk_public))
    (place / "link").symlink_to(root)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        list(walk(place / "link", listed=walk_public))


@pytest.mark.parametrize("public", [False, True])
def test_folders_in_folders_end_somewhere(place: Path, public: bool) -> None:
    root = open_code(place)
    deep = root.joinpath(*["d"] * 120)
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("1")
    for path in (root, *root.rglob("*")):
        path.chmod(0o755)
    with pytest.raises(InvalidInput, match="more than 100 folders lie in one another"):
        snapshots.snapshot_folder(place / "kept", root, public=public)


def test_a_file_that_grows_while_it_is_read_is_as_long_as_it_was(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = open_code(place)

    real = snapshots._copy_most

    def late(file: Any, out: Any, left: int) -> None:
        os.truncate(f"/proc/self/fd/{file.fileno()}", 2**30)
        real(file, out, left)

    monkeypatch.setattr(snapshots, "_copy_most", late)
    found = kept(place, root)
    assert found.size == 3
    for name in found.names:
        os.truncate(root / name, 1)
