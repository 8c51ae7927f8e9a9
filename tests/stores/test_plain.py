"""Folders that others write to: nothing in them leads elsewhere or makes anybody wait."""

import gzip
import io
import math
import os
import zlib
from pathlib import Path

import pytest

from sweeps.stores import plain
from sweeps.stores.gunzip import Gunzip
from sweeps.stores.outputs import OutputLimits, Source, collect
from sweeps.stores.plain import is_plain_way, open_plain, parts, size_of, walk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file, a link to it, one out, a pipe and a folder that is called like a file."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("key")
    found = tmp_path / "work"
    (found / "a.txt").mkdir(parents=True)
    (found / "a.txt" / "b").write_text("b")
    (found / "file").write_text("mine")
    (found / "link").symlink_to("file")
    (found / "out").symlink_to(tmp_path / "secret")
    os.mkfifo(found / "pipe")
    return found


def test_only_regular_files_are_opened(folder: Path) -> None:
    assert size_of(folder / "file") == 4
    assert b"".join(parts(folder / "file")) == b"mine"
    for name in ("link", "out", "pipe", "a.txt", "gone"):
        with pytest.raises(OSError):
            open_plain(folder / name)


def test_a_way_with_a_link_on_it_is_not_plain(folder: Path) -> None:
    ways = {"file": True, "a.txt/b": True, "gone/x": True, "": True}
    ways |= {"link": False, "out": False, "out/key": False, "pipe": False, "pipe/x": False}
    assert {way: is_plain_way(folder, way) for way in ways} == ways


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a folder and the step into it, a program puts a link in its place."""
    (folder / "swap").mkdir()
    names = plain._names

    def swapped(descriptor: int) -> list[str]:
        found = names(descriptor)
        if "swap" in found:
            os.rename(folder / "swap", folder / "gone")
            (folder / "swap").symlink_to(folder.parent / "secret")
        return found

    monkeypatch.setattr(plain, "_names", swapped)
    collected = collect([Source(folder)], folder.parent / "t", OutputLimits(99, 999), math.inf)
    assert collected is not None
    kept = {path.name for path in (folder.parent / "t").rglob("*") if path.is_file()}
    assert kept == {"file", "b"}


def test_a_file_that_becomes_a_link_meanwhile_is_kept_as_a_link_at_most(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def swapped(name: str, target: Path, **more: object) -> None:
        os.unlink(name, dir_fd=more["src_dir_fd"])  # type: ignore[arg-type]
        os.symlink(folder.parent / "secret" / "key", name, dir_fd=more["src_dir_fd"])  # type: ignore[arg-type]
        link(name, target, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", swapped)
    collect([Source(folder)], folder.parent / "t", OutputLimits(99, 999), math.inf)
    for path in (folder.parent / "t").rglob("*"):
        assert path.is_symlink() or path.is_dir()
        with pytest.raises(OSError):
            open_plain(path)


def test_a_walk_ends_in_the_deep_and_holds_no_descriptor(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(plain.MAX_DEPTH + 5):
        place = place / "d"
    place.mkdir(parents=True)
    (place / "lost").write_text("x")
    before = len(os.listdir("/proc/self/fd"))
    found = [name for name, *_ in walk(tmp_path)]
    assert found == ["/".join(["d"] * (plain.MAX_DEPTH + 1))]
    assert len(os.listdir("/proc/self/fd")) == before


# --- Reading gzip ---------------------------------------------------------------------------------


def test_all_members_are_read_and_zeros_behind_them_are_none() -> None:
    data = gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two") + b"\0" * 100_000
    stream = Gunzip(io.BytesIO(data))
    assert (stream.read(2), stream.tell()) == (b"on", 2)
    assert (stream.seek(4), stream.read(9), stream.read(9)) == (4, b"wo", b"")
    with pytest.raises(OSError):
        stream.seek(0)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (gzip.compress(b"x" * 999, mtime=0)[:-1], EOFError),
        (b"", EOFError),
        (b"no gzip", zlib.error),
        (gzip.compress(b"x", mtime=0) + b"junk", zlib.error),
        (gzip.compress(b"x" * 99, mtime=0)[:-8] + b"\0" * 8, zlib.error),
    ],
)
def test_what_is_damaged_says_so(data: bytes, error: type[Exception]) -> None:
    stream = Gunzip(io.BytesIO(data))
    with pytest.raises(error):
        stream.read(10_000)


def test_of_a_bomb_no_more_is_blown_up_than_was_asked_for() -> None:
    stream = Gunzip(io.BytesIO(gzip.compress(b"\0" * 50_000_000)))
    for _ in range(10):
        assert len(stream.read(1000)) == 1000
    assert len(stream._input) < 2**17
