"""Code is kept once under the hash of its contents, and comes back as it was."""

import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.stores import snapshots
from tests.stores.archive_cases import tarred, zipped

FILES = {"train.py": b"print(1)", "lib/a.py": b"x = 1\n", "data.bin": bytes(range(256))}


def folder(root: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_equal_code_has_one_digest_however_it_comes(kept: Path, tmp_path: Path) -> None:
    backwards = list(reversed(FILES.items()))
    found = {
        snapshots.snapshot_folder(kept, folder(tmp_path / "src")),
        snapshots.snapshot_folder(kept, folder(tmp_path / "other", dict(backwards))),
        snapshots.snapshot_archive(kept, io.BytesIO(zipped(list(FILES.items()))), "a.zip"),
        snapshots.snapshot_archive(kept, io.BytesIO(tarred(backwards)), "a.tar.gz"),
        snapshots.snapshot_archive(
            kept, io.BytesIO(zipped([(f"repo-main/{n}", c) for n, c in backwards])), "a.zip"
        ),
    }
    (one,) = found
    assert (one.files, one.size) == (3, sum(map(len, FILES.values())))
    assert one.names == ("data.bin", "lib/a.py", "train.py")
    assert [path.name for path in kept.iterdir()] == [one.digest]
    assert contents(kept / one.digest) == FILES


@pytest.mark.parametrize(
    "change",
    [{"train.py": b"print(2)"}, {"more.py": b""}, {"lib/a.py": b"", "train.py": b"print(1)x"}],
)
def test_other_code_has_another_digest(kept: Path, tmp_path: Path, change: dict) -> None:
    one = snapshots.snapshot_folder(kept, folder(tmp_path / "a"))
    other = snapshots.snapshot_folder(kept, folder(tmp_path / "b", FILES | change))
    assert one.digest != other.digest


def test_names_and_contents_cannot_be_mixed_up(kept: Path, tmp_path: Path) -> None:
    one = snapshots.snapshot_folder(kept, folder(tmp_path / "a", {"ab": b"c"}))
    other = snapshots.snapshot_folder(kept, folder(tmp_path / "b", {"a": b"bc"}))
    assert one.digest != other.digest


NEVER_CODE = {
    ".git/config": b"token",
    "__pycache__/train.cpython-311.pyc": b"evil",
    "lib/__pycache__/a.cpython-311.pyc": b"evil",
    ".venv/bin/python": b"elf",
    "node_modules/a/index.js": b"",
    "mlruns/0/meta.yaml": b"",
    "stray.pyc": b"",
}


@pytest.mark.parametrize("way", ["folder", "archive"])
def test_what_is_never_code_is_left_out_of_digest_and_copy(
    kept: Path, tmp_path: Path, way: str
) -> None:
    if way == "folder":
        found = snapshots.snapshot_folder(kept, folder(tmp_path / "src", FILES | NEVER_CODE))
    else:
        data = zipped(list((FILES | NEVER_CODE).items()))
        found = snapshots.snapshot_archive(kept, io.BytesIO(data), "a.zip")
    assert found.files == 3
    assert contents(kept / found.digest) == FILES
    assert not (kept / found.digest / ".git").exists()


def test_links_and_special_files_of_a_folder_are_left_out(kept: Path, tmp_path: Path) -> None:
    source = folder(tmp_path / "src")
    (tmp_path / "secret").write_text("secret")
    (source / "link").symlink_to(tmp_path / "secret")
    (source / "loop").symlink_to(source)
    os.mkfifo(source / "pipe")
    assert snapshots.snapshot_folder(kept, source).files == 3


def test_a_materialised_copy_can_be_written_and_leaves_the_kept_one_alone(
    kept: Path, tmp_path: Path
) -> None:
    source = folder(tmp_path / "src")
    (source / "train.py").chmod(0o444)
    found = snapshots.snapshot_folder(kept, source)
    target = tmp_path / "work"
    snapshots.materialise(kept, found.digest, target)
    assert contents(target) == FILES
    assert (target / "train.py").stat().st_mode & stat.S_IWUSR
    (target / "train.py").write_text("changed")
    (target / "new").write_text("x")
    assert contents(kept / found.digest) == FILES
    with pytest.raises(FileExistsError):
        snapshots.materialise(kept, found.digest, target)


@pytest.mark.parametrize("digest", ["..", "../x", "", "a/b", "/etc", ".stage-x", "a\0"])
def test_a_hostile_digest_names_no_folder(kept: Path, tmp_path: Path, digest: str) -> None:
    for call in (
        lambda: snapshots.materialise(kept, digest, tmp_path / "t"),
        lambda: snapshots.list_files(kept, digest),
        lambda: snapshots.read_file(kept, digest, "train.py"),
    ):
        with pytest.raises(ValueError, match="is no digest"):
            call()
    assert not (tmp_path / "t").exists()


def test_files_of_a_snapshot_are_listed_and_read(kept: Path, tmp_path: Path) -> None:
    digest = snapshots.snapshot_folder(kept, folder(tmp_path / "src")).digest
    assert snapshots.list_files(kept, digest) == ["data.bin", "lib/a.py", "train.py"]
    assert snapshots.read_file(kept, digest, "train.py") == "print(1)"
    assert snapshots.read_file(kept, digest, "train.py", limit=5) == "print"
    assert "\ufffd" in snapshots.read_file(kept, digest, "data.bin")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "lib", "none.py", ""])
def test_only_files_of_the_snapshot_are_read(kept: Path, tmp_path: Path, name: str) -> None:
    digest = snapshots.snapshot_folder(kept, folder(tmp_path / "src")).digest
    with pytest.raises(KeyError):
        snapshots.read_file(kept, digest, name)


@pytest.mark.parametrize("filename", ["train.py", "C:\\me\\train.py", "/home/me/train.py"])
def test_a_single_script_is_a_snapshot(kept: Path, filename: str) -> None:
    found = snapshots.snapshot_file(kept, io.BytesIO(b"print()"), filename)
    assert found.names == ("train.py",)
    assert contents(kept / found.digest) == {"train.py": b"print()"}


@pytest.mark.parametrize("name", ["", "..", ".", "a/", "a\0b", "x" * 256, "a\ud800", "a\nb"])
def test_what_is_no_file_name_is_refused(kept: Path, name: str) -> None:
    if name == "a/":
        assert snapshots.snapshot_file(kept, io.BytesIO(b"x"), name).names == ("a",)
        return
    with pytest.raises(InvalidInput, match="is no file name"):
        snapshots.snapshot_file(kept, io.BytesIO(b"x"), name)
    assert not kept.exists() or list(kept.iterdir()) == []


def test_folders_that_are_too_large_are_refused(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder(tmp_path / "src")
    monkeypatch.setattr(snapshots, "MAX_FILES", 2)
    with pytest.raises(InvalidInput, match="too large for training code: at most 2 files"):
        snapshots.snapshot_folder(kept, source)
    monkeypatch.setattr(snapshots, "MAX_FILES", 10)
    monkeypatch.setattr(snapshots, "MAX_BYTES", 20)
    with pytest.raises(InvalidInput, match="too large for training code"):
        snapshots.snapshot_folder(kept, source)
    assert list(kept.iterdir()) == []


def test_folders_without_files_are_refused(kept: Path, tmp_path: Path) -> None:
    for source in (tmp_path / "missing", folder(tmp_path / "git", {".git/x": b""})):
        with pytest.raises(InvalidInput, match="There is no file in it"):
            snapshots.snapshot_folder(kept, source)
    assert list(kept.iterdir()) == []


def test_a_folder_that_cannot_be_read_is_refused(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(snapshots, "_copy_most", fail)
    with pytest.raises(InvalidInput, match="cannot be read: Permission denied"):
        snapshots.snapshot_folder(kept, folder(tmp_path / "src"))
    assert list(kept.iterdir()) == []


def test_a_file_name_that_is_no_text_is_refused(kept: Path, tmp_path: Path) -> None:
    source = folder(tmp_path / "src")
    (source / os.fsdecode(b"a\xff")).write_text("x")
    with pytest.raises(InvalidInput, match="Rename the file"):
        snapshots.snapshot_folder(kept, source)


def test_kept_code_is_for_its_owner_only(kept: Path, tmp_path: Path) -> None:
    snapshots.snapshot_folder(kept, folder(tmp_path / "src"))
    assert kept.stat().st_mode & 0o077 == 0
