"""Data uploads: kept by content, under their own name, or not at all."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.stores.uploads import place_of, save_upload


def test_an_upload_keeps_its_contents_and_name(tmp_path: Path) -> None:
    root = tmp_path / "uploads"
    found = save_upload(root, [b"a,b\n", b"1,2\n"], "C:\\me\\iris.csv", 100)
    assert found.digest == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (found.name, found.size) == ("iris.csv", 8)
    assert found.path == place_of(root, found.digest, "iris.csv")
    assert (found.path.name, found.path.parents[1]) == ("iris.csv", root)
    assert found.path.read_bytes() == b"a,b\n1,2\n"
    assert root.stat().st_mode & 0o077 == 0


def test_equal_contents_are_kept_once_per_name(tmp_path: Path) -> None:
    one = save_upload(tmp_path, [b"x"], "a.csv", 10)
    again = save_upload(tmp_path, [b"x"], "a.csv", 10)
    other = save_upload(tmp_path, [b"x"], "b.csv", 10)
    assert one == again
    assert other.digest == one.digest
    assert [path.name for path in one.path.parent.iterdir()] == ["a.csv"], "no other name is told"
    assert other.path.read_bytes() == b"x"


def test_the_limit_is_the_last_size_that_fits(tmp_path: Path) -> None:
    assert save_upload(tmp_path, [b"x" * 5, b"y" * 5], "a", 10).size == 10
    with pytest.raises(InvalidInput, match="larger"):
        save_upload(tmp_path, [b"x" * 11], "a", 10)
    with pytest.raises(InvalidInput, match="“a” is larger than 1 MiB"):
        save_upload(tmp_path, (b"x" * 2**19 for _ in range(3)), "a", 2**20)
    assert len(list(tmp_path.iterdir())) == 1


def test_no_more_is_read_than_the_limit(tmp_path: Path) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    with pytest.raises(InvalidInput, match="larger"):
        save_upload(tmp_path, endless(), "a", 5000)
    assert taken == 6


def test_a_broken_upload_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        save_upload(tmp_path, broken(), "a", 5000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../..", "a\\..", "a\0b", "a\nb", "a\ud800", "é" * 128]
)
def test_what_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no file name"):
        save_upload(tmp_path / "u", [b"x"], name, 10)
    assert not (tmp_path / "u").exists()


def test_folders_in_a_name_lead_nowhere(tmp_path: Path) -> None:
    found = save_upload(tmp_path / "u", [b"x"], "../../../etc/passwd", 10)
    assert found.path == place_of(tmp_path / "u", found.digest, "passwd")
