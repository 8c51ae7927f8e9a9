"""What users of isolated computes may reach: their own and what is lent, by modes and owners."""

import inspect
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.public import NotPublic, check_public, open_public
from sweeps.stores import handover, outputs
from sweeps.stores.outputs import OutputLimits, Source, collect
from sweeps.stores.removal import remove_tree
from tests.isolated import IS_ROOT, UID, open_folder
from tests.stores.test_snapshots import contents, folder

WIDE = OutputLimits(100, 2**20)


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as found:
        yield found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_home_is_opened_to_pass_through_and_all_else_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder(home, {"studio.db": b"1", "artifacts/1/x": b"2", "trials/s/0.1/launch.json": b"3"})
    for path in (home / "studio.db", home / "artifacts", home / "trials" / "s"):
        path.chmod(0o755)
    (home / "elsewhere").symlink_to(tmp_path / "gone")
    handover.open_home(home)
    assert mode(home) == mode(home / "trials") == mode(home / "users") == 0o711
    assert mode(home / "studio.db") == mode(home / "artifacts") == 0o700
    assert mode(home / "trials" / "s") == 0o750
    (home / "studio.db-wal").touch(0o644)
    handover.open_home(home)
    assert mode(home / "studio.db-wal") == 0o600, "before each start, not only the first"


def test_what_is_lent_is_the_same_file_read_only_and_lent_once(tmp_path: Path) -> None:
    source = folder(tmp_path / "data", {"a.csv": b"1", "deep/b.csv": b"2"})
    (source / "link").symlink_to("/etc/passwd")
    (source / "a.csv").chmod(0o600)
    lent = handover.lend(source, tmp_path / "t" / "inputs" / "data")
    assert contents(lent) == {"a.csv": b"1", "deep/b.csv": b"2"}
    assert (lent / "a.csv").stat().st_ino == (source / "a.csv").stat().st_ino
    assert mode(lent / "a.csv") == 0o644
    assert not (lent / "link").is_symlink()
    (lent / "a.csv").unlink()
    assert contents(handover.lend(source, lent)) == {"deep/b.csv": b"2"}
    assert [path.name for path in lent.parent.iterdir()] == ["data"], "no stage is left"


def test_a_tree_of_any_depth_and_its_links_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = folder(tmp_path / "kept", {"x": b"1"})
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(200):
        os.mkdir("d", dir_fd=here)
        if number % 50 == 0:
            os.mkdir("twin", dir_fd=here)
        os.symlink(kept, "link", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)  # deeper than calls may go
    try:
        assert remove_tree(top)
    finally:
        sys.setrecursionlimit(usual)
    assert not top.exists()
    assert contents(kept) == {"x": b"1"}
    assert remove_tree(top), "what is not there"
    top.symlink_to(kept)
    assert remove_tree(top)
    assert contents(kept) == {"x": b"1"}


def test_only_what_every_user_may_read_is_public(place: Path) -> None:
    root = folder(place / "code", {"open/a.py": b"1", "closed/b.py": b"2", "own.py": b"3"})
    for path, bits in ((root, 0o755), (root / "open", 0o755), (root / "open" / "a.py", 0o644)):
        path.chmod(bits)
    (root / "closed").chmod(0o700)
    (root / "closed" / "b.py").chmod(0o644)
    (root / "own.py").chmod(0o600)
    (root / "link").symlink_to(root / "closed")
    with open_public(root, "open/a.py") as file:
        assert file.read() == b"1"
    check_public(root)
    for name in ("closed/b.py", "own.py"):
        with pytest.raises(NotPublic, match="not every user of this machine may"):
            open_public(root, name)
    for name in ("link/b.py", "gone", "open"):
        with pytest.raises(OSError):
            open_public(root, name)
    with pytest.raises(NotPublic, match="closed"):
        check_public(root / "closed")
    with pytest.raises(NotPublic):
        check_public(root / "closed" / "b.py")


if IS_ROOT:

    def test_outputs_of_another_user_are_copied_and_only_what_is_theirs(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = folder(tmp_path / "outputs", {"own.bin": b"own", "deep/x": b"x"})
        handover.give(root, UID, UID)
        (tmp_path / "secret").write_bytes(b"secret")
        os.link(tmp_path / "secret", root / "hard")
        (root / "soft").symlink_to(tmp_path / "secret")
        found = collect([Source(root)], tmp_path / "t", WIDE, float("inf"))
        assert found is not None
        assert (found.files, found.odd) == (2, 2)
        assert contents(tmp_path / "t") == {"own.bin": b"own", "deep/x": b"x"}
        kept = (tmp_path / "t" / "own.bin").stat()
        assert (kept.st_uid, kept.st_nlink) == (0, 1), "the user cannot change it any more"
        assert collect([Source(root)], tmp_path / "t", WIDE, float("inf")) == found

    def test_a_folder_that_its_user_replaces_does_not_make_the_files_in_it_ours(
        tmp_path: Path,
    ) -> None:
        first = folder(tmp_path / "outputs", {"own.bin": b"own"})
        handover.give(first, UID, UID)
        # The user may remove and make it in any moment, also while we look whose it is.
        second = folder(tmp_path / "work" / "outputs", {"theirs": b"x", "other": b"ours"})
        os.chown(second / "theirs", UID, UID)
        sources = [Source(first), Source(second)]
        found = collect(sources, tmp_path / "t", WIDE, float("inf"))
        assert found is not None
        assert (found.files, found.odd) == (2, 1)
        assert contents(tmp_path / "t") == {"own.bin": b"own", "theirs": b"x"}
        assert (tmp_path / "t" / "theirs").stat().st_nlink == 1, "copied, and so ours alone"

    def test_an_output_that_is_replaced_while_it_is_looked_at_is_left_out(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = folder(tmp_path / "outputs", {"x": b"own"})
        handover.give(root, UID, UID)
        (tmp_path / "secret").write_bytes(b"secret")
        real = outputs.open_plain

        def late(name: str, at: int) -> object:
            (root / "x").unlink()
            os.link(tmp_path / "secret", root / "x")
            return real(name, at)

        monkeypatch.setattr(outputs, "open_plain", late)
        found = collect([Source(root)], tmp_path / "t", WIDE, float("inf"))
        assert found is not None
        assert (found.files, found.clashing) == (0, 1)
        assert contents(tmp_path / "t") == {}

    def test_a_folder_is_handed_over_with_all_that_is_in_it(place: Path) -> None:
        root = folder(place / "work", {"a.py": b"1", "deep/b.py": b"2"})
        (root / "link").symlink_to("/etc/passwd")
        handover.give(root, UID, UID)
        owners = {path.lstat().st_uid for path in (root, *root.rglob("*"))}
        assert owners == {UID}
        assert os.stat("/etc/passwd").st_uid == 0
        handover.let_through(place, UID)
        assert (place.stat().st_gid, mode(place)) == (UID, 0o710)
