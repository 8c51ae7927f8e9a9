"""Patterns of an ignore file mean what they mean to git, and none takes long to match."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweeps.domain.problems import InvalidInput
from sweeps.stores import ignoring, snapshots
from sweeps.stores.code_files import parse_rules, walk

NAMES = ("a", "b.a", "ab", "a]", "[a", "!a", "#a", "a b", "b ", "-", "^", "\\a", "B1")
FOLDERS = ("", "d/", "d/a/", "d/a/d/", "c d/", "ab.d/")
PIECES = (
    "a", "b", "d", "*", "**", "/", "/", "?", ".", "-", " ", "!", "#", "]", "^", "\\", "**/", "/**",
    "/**/", "[", "[ab]", "[!a]", "[^b-]", "[]a]", "[a-d]", "[d-a]", "[[:upper:][:digit:]]",
    "[[:no:]]", "[a/b]", "[\\]!]", "\t", "***", "/*", "*.d",
)  # fmt: skip
# What differs: a slash with a backslash ends no `**` to git, and `?` is one byte, not one letter.
LINE = st.lists(st.sampled_from(PIECES), max_size=8).map("".join).filter(lambda t: "\\/" not in t)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("tree")
    for folder in FOLDERS:
        (top / folder).mkdir(exist_ok=True)
        for name in NAMES:
            if not (top / folder / name).is_dir():
                (top / folder / name).write_bytes(b"")
        if folder == "d/":
            (top / "d/a").unlink()
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    return top


def listed_by_git(tree: Path, patterns: Path) -> set[str]:
    words = ["git", "ls-files", "-z", "--others", f"--exclude-from={patterns}"]
    found = subprocess.run(words, cwd=tree, capture_output=True, check=True)
    return {name for name in found.stdout.decode().split("\0") if name}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LINE, min_size=1, max_size=4).map("\n".join))
def test_all_that_git_takes_is_taken_and_nothing_else(
    tree: Path, tmp_path: Path, text: str
) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text(text)
    assert set(walk(tree, parse_rules(text, "x"))) == listed_by_git(tree, patterns)


SLOW = {
    "stars": ("*a" * 7 + "b", "a" * 200),
    "many stars": ("*a" * 400 + "b", "a" * 255),
    "stars and any": ("*?" * 400 + "b", "a" * 255),
    "stars and sets": ("*[ab]" * 150 + "c", "ab" * 120),
    "folders": ("**/a/" * 190 + "b", "a/" * 2_000 + "a"),
    "folders of any name": ("**/" + "*/" * 400 + "b", "a/" * 2_000 + "a"),
    "folders with stars": ("**/*a*a*/" * 100 + "b", "aaa/" * 1_000 + "a"),
    "stars over folders": ("**a**/" * 150 + "b", "aa/" * 1_000 + "a"),
    "spaces": (" " * 999 + "a", " " * 250),
    "backslashes": ("\\" * 999, "\\" * 255),
    "brackets": ("[" * 999, "[" * 255),
}


@pytest.mark.parametrize("name", [*SLOW])
def test_no_pattern_takes_long(name: str) -> None:
    pattern, path = SLOW[name]
    began = time.thread_time()
    assert not parse_rules(pattern, "x").leaves_out(path)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("text", ["a\n" * 1_001, "a" * 1_001])
def test_more_patterns_than_anybody_writes_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / ".gitignore").write_text(text)
    with pytest.raises(InvalidInput, match="at most 1,000 patterns of 1,000 letters"):
        snapshots.snapshot_folder(tmp_path / "kept", tmp_path)


def test_comments_and_empty_lines_are_no_patterns() -> None:
    assert parse_rules("# b\n\r\n\n" * 5_000 + "a\r\n", "x").leaves_out("d/a")


def test_all_files_together_take_no_longer_than_they_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignoring, "MOST_S", 0.0)
    for name in (".gitignore", "a", "b"):
        (tmp_path / name).write_text("c\n")
    with pytest.raises(InvalidInput, match="takes too long"):
        snapshots.snapshot_folder(tmp_path / "kept", tmp_path)
