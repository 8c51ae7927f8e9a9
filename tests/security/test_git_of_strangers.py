"""Reading the state of a repository runs nothing that the repository names, and reads no other."""

import subprocess
from pathlib import Path

import pytest

from sweeps.stores.git import read_git


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "x")
    (folder / "a.py").write_text("22\n")
    return folder


@pytest.mark.parametrize(
    ("attributes", "settings"),
    [
        ("* filter=evil", {"filter.evil.clean": "RUN; cat", "filter.evil.smudge": "cat"}),
        ("* filter=a=b", {"filter.a=b.clean": "RUN; cat"}),
        ("* filter=evil", {"filter.evil.process": "RUN", "filter.evil.required": "true"}),
        ("* diff=evil", {"diff.evil.command": "RUN", "diff.evil.textconv": "RUN; cat"}),
        ("", {"diff.external": "RUN"}),
        ("", {"core.fsmonitor": "RUN"}),
        ("", {"core.pager": "RUN", "pager.diff": "RUN"}),
        ("", {"core.sshCommand": "RUN", "core.editor": "RUN", "core.askPass": "RUN"}),
    ],
)
def test_programs_of_its_configuration_are_not_run(
    repository: Path, tmp_path: Path, attributes: str, settings: dict[str, str]
) -> None:
    (repository / ".gitattributes").write_text(attributes)
    for name, value in settings.items():
        git(repository, "config", name, value.replace("RUN", f"touch {tmp_path}/ran"))
    found = read_git(repository)
    assert not (tmp_path / "ran").exists()
    assert found is not None
    assert "+22" in found.diff


def test_what_a_partial_clone_left_out_is_not_fetched(repository: Path, tmp_path: Path) -> None:
    runs = f"touch {tmp_path}/ran; git-upload-pack"
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(repository),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": runs,
        "protocol.ext.allow": "always",
    }.items():
        git(repository, "config", name, value)
    blob = subprocess.check_output(["git", "rev-parse", "HEAD:a.py"], cwd=repository, text=True)
    (repository / ".git" / "objects" / blob[:2] / blob[2:].strip()).unlink()
    read_git(repository)
    assert not (tmp_path / "ran").exists()
    git(repository, "config", "remote.origin.url", f"ext::sh -c touch% {tmp_path}/ran")
    read_git(repository)
    assert not (tmp_path / "ran").exists()


def test_files_of_other_folders_are_no_changes(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("canary\n")
    git(repository, "config", "core.worktree", str(other))
    found = read_git(repository)
    assert found is None or "canary" not in found.diff


def test_a_submodules_configuration_runs_nothing(repository: Path, tmp_path: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "b.py").write_text("1\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "x")
    git(repository, "add", "inner")
    git(repository, "commit", "-qm", "with a submodule")
    (inner / ".gitattributes").write_text("* filter=evil")
    git(inner, "config", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    (inner / "b.py").write_text("22\n")
    read_git(repository)
    assert not (tmp_path / "ran").exists()
