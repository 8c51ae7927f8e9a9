"""What an ignore file names is no code; which file counts, and how, is as in Azure ML and git."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.stores import snapshots
from sweeps.stores.code_files import code_files, parse_rules
from tests.stores.test_snapshots import folder

TREE = ("train.py", "data/a.csv", "data/keep.csv", "lib/data/b.csv", "lib/x.log", "notes.log")


def tree(root: Path, **ignore: str) -> Path:
    files = dict.fromkeys(TREE, b"x")
    files |= {f".{name}": text.encode() for name, text in ignore.items()}
    return folder(root, files)


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ("*.log\n", {"train.py", "data/a.csv", "data/keep.csv", "lib/data/b.csv"}),
        ("/data/\n*.log", {"train.py", "lib/data/b.csv"}),
        ("data\n# data is large\n\n*.log", {"train.py"}),
        ("data/*\n!keep.csv\n*.log", {"train.py", "data/keep.csv", "lib/data/b.csv"}),
        ("data/\n!data/keep.csv\n*.log", {"train.py"}),
        ("**/*.csv\n[xn]*.log", {"train.py"}),
        ("!\n***[\n*.log\r\ndata", {"train.py"}),
    ],
)
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path, patterns: str, left: set) -> None:
    source = tree(tmp_path, gitignore=patterns)
    assert set(code_files(source)) == left | {".gitignore"}
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=source, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=source, capture_output=True, text=True)
    assert set(listed.stdout.split()) == left | {".gitignore"}


def test_an_amlignore_wins_and_then_counts_alone(tmp_path: Path) -> None:
    source = tree(tmp_path, gitignore="*.py\n", amlignore="*.log\ndata\n")
    assert set(code_files(source)) == {"train.py", ".gitignore", ".amlignore"}


def test_snapshots_leave_out_what_is_ignored_and_copy_the_same(tmp_path: Path) -> None:
    found = snapshots.snapshot_folder(tmp_path / "kept", tree(tmp_path / "a", gitignore="data\n"))
    assert found.names == (".gitignore", "lib/x.log", "notes.log", "train.py")


def test_a_folder_without_a_file_that_is_not_ignored_says_who_ignores_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has no file that .gitignore does not ignore"):
        snapshots.snapshot_folder(tmp_path / "kept", tree(tmp_path / "a", gitignore="*\n"))


def test_a_rule_set_is_a_value() -> None:
    rules = parse_rules("build/\n", ".amlignore")
    assert rules.leaves_out("build", is_folder=True)
    assert not rules.leaves_out("build")
    assert rules.source == ".amlignore"


def test_the_rules_need_no_django() -> None:
    code = "import sys, sweeps.stores.code_files; print('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
