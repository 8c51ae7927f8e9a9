"""Where code comes from is read from its repository, with nothing that should stay secret."""

import subprocess
from pathlib import Path

import pytest

from sweeps.stores import git
from sweeps.stores.git import read_git, without_credentials


def run(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    line = ["git", *who, *words]
    return subprocess.run(line, cwd=folder, check=True, capture_output=True, text=True).stdout


def make_repo(tmp_path: Path) -> Path:
    """A folder of code in a repository with one commit."""
    code = tmp_path / "repo" / "code"
    code.mkdir(parents=True)
    (code / "train.py").write_text("print(1)\n")
    (code / "secret.env").write_text("KEY=old\n")
    (code / ".amlignore").write_text("secret.env\n")
    (code.parent / "other.txt").write_text("1\n")
    run(code.parent, "init", "-q", "-b", "trunk")
    run(code.parent, "remote", "add", "origin", "https://me:token@example.org/a/b.git?x=token")
    run(code.parent, "add", "-A")
    run(code.parent, "commit", "-q", "-m", "first")
    return code


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path)


def test_a_clean_folder_has_commit_branch_and_remote(repo: Path) -> None:
    found = read_git(repo)
    assert found is not None
    assert (len(found.commit), found.branch, found.remote) == (
        40, "trunk", "https://example.org/a/b.git",
    )  # fmt: skip
    assert (found.dirty, found.diff) == (False, "")


def test_changes_of_the_folder_alone_are_told_without_what_is_ignored(repo: Path) -> None:
    (repo / "train.py").write_text("print(2)\n")
    (repo / "secret.env").write_text("KEY=hidden\n")
    (repo / "new.py").write_text("x = 1\n")
    (repo.parent / "other.txt").write_text("2\n")
    found = read_git(repo)
    assert found is not None
    assert (found.changed, found.untracked) == (1, 1)
    assert "+print(2)" in found.diff
    assert "hidden" not in found.diff
    assert "other.txt" not in found.diff
    assert not found.is_cut


def test_a_long_diff_is_cut_and_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "MAX_DIFF_BYTES", 50)
    (repo / "train.py").write_text("x = 1\n" * 1000)
    found = read_git(repo)
    assert found is not None
    assert found.is_cut
    assert len(found.diff) == 50


def test_no_program_of_the_repository_is_run(repo: Path) -> None:
    trap = repo.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {repo.parent}/sprung\n")
    trap.chmod(0o700)
    for key in ("diff.external", "core.fsmonitor", "diff.py.textconv"):
        run(repo, "config", key, str(trap))
    (repo / ".gitattributes").write_text("*.py diff=py\n")
    (repo / "train.py").write_text("print(2)\n")
    found = read_git(repo)
    assert found is not None
    assert "+print(2)" in found.diff
    assert not (repo.parent / "sprung").exists()


def test_a_detached_head_is_on_no_branch(repo: Path) -> None:
    run(repo, "checkout", "-q", "--detach")
    found = read_git(repo)
    assert found is not None
    assert found.branch == ""


def test_where_nothing_can_be_known_there_is_nothing(tmp_path: Path) -> None:
    assert read_git(tmp_path) is None
    run(tmp_path, "init", "-q")
    assert read_git(tmp_path) is None, "no commit yet"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host:8443/a.git", "https://host:8443/a.git"),
        ("https://token@host/a.git#token", "https://host/a.git"),
        ("ssh://git@host/a.git", "ssh://host/a.git"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("http://[bad/a.git", ""),
    ],
)
def test_addresses_lose_their_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
