"""Which files of a folder are training code. Needs neither Django nor the rest of the studio.

As in Azure ML: patterns of git's kind in `.amlignore` at the top of the folder leave files out;
where there is none, those of the `.gitignore` there.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sweeps.stores.ignoring import Patterns

# Never part of the code, and large.
SKIPPED = frozenset(
    {".git", "__pycache__", ".venv", "venv", "node_modules", ".ipynb_checkpoints", "mlruns"}
)
# The first that is there counts, alone.
IGNORE_FILES = (".amlignore", ".gitignore")
# Nobody writes more by hand.
_MOST_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """Patterns of what is left out; `source` is the file that they stand in, "" for none."""

    source: str = ""
    patterns: Patterns = field(default_factory=Patterns)

    def leaves_out(self, name: str, *, is_folder: bool = False) -> bool:
        """True if the patterns name this path (relative to the folder, with /).

        What lies in a folder that is left out is left out, whatever later patterns say, as in git:
        ask for the folders first. Raises OSError when it takes too long to tell.
        """
        return self.patterns.leave_out(name, is_folder=is_folder)


def parse_rules(text: str, source: str) -> IgnoreRules:
    """The rules in the text of an ignore file; lines that are no pattern count for nothing.

    Raises OSError for more patterns than are taken.
    """
    return IgnoreRules(source, Patterns(text))


def read_rules(folder: Path) -> IgnoreRules:
    """The rules that hold for a folder. Raises OSError when its ignore file cannot be read."""
    for name in IGNORE_FILES:
        path = folder / name
        if path.is_file():
            with path.open("rb") as file:
                return rules_in(file, name)
    return IgnoreRules()


def rules_in(file: BinaryIO, source: str) -> IgnoreRules:
    """The rules in an ignore file that is open."""
    text = file.read(_MOST_BYTES).decode(errors="replace")
    return parse_rules(text.removeprefix("\ufeff"), source)


def code_files(folder: Path) -> Iterator[str]:
    """Relative names of the files that are the folder's code, in a fixed order.

    Raises OSError when its ignore file cannot be read.
    """
    return walk(folder, read_rules(folder))


NO_RULES = IgnoreRules()
Listed = Callable[[Path], Iterator[tuple[str, list[str], list[str]]]]
# Folders within folders: what lists them calls itself for each.
_MOST_DEEP = 100


def walk(folder: Path, rules: IgnoreRules = NO_RULES, listed: Listed = os.walk) -> Iterator[str]:
    """Relative names (`/` between parts) of the files below a folder that are its contents.

    Regular files only: no links, no `.pyc`, nothing below a folder of a name in `SKIPPED`, and
    nothing that the rules leave out. `listed` gives what `os.walk` does. Raises OSError for folders
    that are nested too deeply, and what `listed` raises.
    """
    for here, folders, files in listed(folder):
        top = Path(here).relative_to(folder)
        if len(top.parts) > _MOST_DEEP:
            raise OSError(errno.ELOOP, f"more than {_MOST_DEEP} folders lie in one another")
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED and not rules.leaves_out(_name(top, name), is_folder=True)
        )
        for name in sorted(files):
            path, relative = Path(here) / name, _name(top, name)
            if name.endswith(".pyc") or not path.is_file() or path.is_symlink():
                continue
            if not rules.leaves_out(relative):
                yield relative


def _name(top: Path, name: str) -> str:
    return (top / name).as_posix()
