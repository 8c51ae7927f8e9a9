"""Outputs become artifacts: whole, once, within limits, and nothing is left out in silence."""

import math
import os
from pathlib import Path

import pytest

from sweeps.stores import outputs
from sweeps.stores.artifacts import artifacts, inside
from sweeps.stores.outputs import OutputLimits, Source, collect
from tests.stores.test_snapshots import contents, folder

WIDE = OutputLimits(100, 2**20)


def test_files_of_all_folders_are_linked_and_the_first_keeps_its_name(tmp_path: Path) -> None:
    first = folder(tmp_path / "a", {"model/m.bin": b"1", "same.txt": b"a"})
    second = folder(tmp_path / "b", {"plot.png": b"22", "same.txt": b"other"})
    found = collect([Source(first), Source(second)], tmp_path / "t", WIDE, math.inf)
    assert found is not None
    assert contents(tmp_path / "t") == {"model/m.bin": b"1", "same.txt": b"a", "plot.png": b"22"}
    assert (found.files, found.size, found.clashing) == (3, 4, 1)
    assert "whose names were taken" in found.note(WIDE)
    linked = (tmp_path / "t" / "plot.png").stat()
    assert linked.st_ino == (second / "plot.png").stat().st_ino, "no room is taken twice"


def test_the_same_call_again_changes_nothing(tmp_path: Path) -> None:
    source = Source(folder(tmp_path / "a", {"x": b"1", "y/z": b"2"}))
    one = collect([source], tmp_path / "t", WIDE, math.inf)
    assert collect([source], tmp_path / "t", WIDE, math.inf) == one


def test_with_no_time_at_all_each_call_keeps_some_more_until_all_is_kept(tmp_path: Path) -> None:
    source = Source(folder(tmp_path / "a", {"x": b"1", "y/z": b"2"}))
    assert collect([source], tmp_path / "t", WIDE, -math.inf) is None, "one is kept"
    assert collect([source], tmp_path / "t", WIDE, -math.inf) is None, "and the other"
    found = collect([source], tmp_path / "t", WIDE, -math.inf)
    assert found is not None, "nothing is left to do"
    assert (found.files, found.over) == (2, 0)


def test_a_large_copy_goes_on_where_the_time_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_link", lambda *_: False)
    data = os.urandom(2**20) * 2 + b"end"
    source = Source(folder(tmp_path / "a", {"x": data}))
    wide = OutputLimits(9, 2**30)
    for _ in range(2):
        assert collect([source], tmp_path / "t", wide, -math.inf) is None
        assert not (tmp_path / "t" / "x").exists(), "no half of it has the name"
    calls = 0
    while collect([source], tmp_path / "t", wide, -math.inf) is None:
        calls += 1
    assert calls == 1
    assert contents(tmp_path / "t") == {"x": data}


def test_files_without_number_are_not_counted_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_COUNTED", 3)
    source = Source(folder(tmp_path / "a", {f"{n:02}": b"" for n in range(20)}))
    few = OutputLimits(2, 100)
    found = collect([source], tmp_path / "t", few, math.inf)
    assert found is not None
    assert (found.files, found.over) == (2, 5)
    assert found.note(few).startswith("There are more outputs than are counted. 5 outputs were")


def test_where_there_are_no_links_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(outputs.os, "link", no_link)
    source = Source(folder(tmp_path / "a", {"x": b"1", "y/z": b"2"}))
    found = collect([source], tmp_path / "t", WIDE, math.inf)
    assert found is not None
    assert found.files == 2
    assert contents(tmp_path / "t") == {"x": b"1", "y/z": b"2"}


def test_limits_are_told(tmp_path: Path) -> None:
    source = Source(folder(tmp_path / "a", {f"{n}": b"12345" for n in range(5)}))
    few = OutputLimits(2, 100)
    found = collect([source], tmp_path / "t", few, math.inf)
    assert found is not None
    assert (found.files, found.over) == (2, 3)
    assert found.note(few).startswith("3 outputs were left out: a trial may have 2 files")
    small = collect([source], tmp_path / "u", OutputLimits(9, 12), math.inf)
    assert small is not None
    assert (small.files, small.size, small.over) == (2, 10, 3)


def test_links_and_devices_are_no_outputs(tmp_path: Path) -> None:
    root = folder(tmp_path / "a", {"x": b"1"})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("key")
    (root / "dir").symlink_to(tmp_path / "secret")
    (root / "file").symlink_to(tmp_path / "secret" / "key")
    os.mkfifo(root / "pipe")
    found = collect([Source(root)], tmp_path / "t", WIDE, math.inf)
    assert found is not None
    assert (found.files, found.odd) == (1, 3)
    assert contents(tmp_path / "t") == {"x": b"1"}
    (tmp_path / "linked").symlink_to(tmp_path / "secret")
    whole = collect([Source(tmp_path / "linked")], tmp_path / "u", WIDE, math.inf)
    assert whole is not None
    assert whole.files == 0


def test_what_came_with_the_code_is_no_output_unless_it_was_changed(tmp_path: Path) -> None:
    code = folder(tmp_path / "code", {"old": b"1", "changed": b"1"})
    work = folder(tmp_path / "work", {"old": b"1", "changed": b"22", "new": b"3"})
    stamp = (code / "old").stat()
    os.utime(work / "old", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    found = collect([Source(work, code)], tmp_path / "t", WIDE, math.inf)
    assert found is not None
    assert set(contents(tmp_path / "t")) == {"changed", "new"}


def test_artifacts_lead_nowhere_else(tmp_path: Path) -> None:
    root = folder(tmp_path / "run", {"outputs/m/x": b"1", "top": b"22"})
    folder(tmp_path / "other", {"key": b"k"})
    (root / "link").symlink_to(tmp_path / "other")
    assert [one.path for one in artifacts(root)] == ["top", "outputs/m/x"]
    assert inside(root, "outputs/m/x") == root / "outputs" / "m" / "x"
    for path in (
        "../other/key",
        "link/key",
        "link",
        "/etc/passwd",
        "gone",
        "a\0b",
        "outputs/../top",
    ):
        assert inside(root, path) is None, path
    assert artifacts(tmp_path / "nowhere") == []
