"""Importing ahead of a script, and judging whether a fork can give a child all that it did.

A name is dotted, and means what it means to a script: as much of it as can be imported is, and of
the rest attributes of modules are looked up, for some load their parts on first use.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType

# What a script may have that its fork would not: it opens these devices for a graphics card.
_DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri", "/dev/accel")


class Unfit(Exception):
    """Importing `module` did what no fork can give to a child; the text says what."""

    def __init__(self, module: str, what: str) -> None:
        self.module, self.what = module, what
        super().__init__(f"importing {module} {what}")


def preload(names: Iterable[str], said: Callable[[], bool], about: Callable[[str], None]) -> None:
    """Import all of them, in this order.

    `said` tells whether something has been printed since it was last asked; `about` is told each
    name before its turn. What cannot be imported is left to the script, which may expect that.

    Raises Unfit for a module that starts threads or processes, opens a connection or a graphics
    card, or prints.
    """
    before = _Traces()
    for name in names:
        about(name)
        with contextlib.suppress(Exception):
            _touch(name)
        before.judge(name, said)


def preload_later(pairs: Iterable[tuple[str, str]], about: Callable[[str], None]) -> None:
    """Import the second of each pair where the first has been; what they print is not kept, for
    the script has not asked for them yet. Raises Unfit as `preload` does."""
    traces = _Traces()
    for needed, name in pairs:
        if needed in sys.modules:
            about(name)
            with contextlib.suppress(Exception):
                importlib.import_module(name)
            traces.judge(name, lambda: False)


class _Traces:
    """What imports have left behind so far."""

    def __init__(self) -> None:
        self._open = opened()

    def judge(self, name: str, said: Callable[[], bool]) -> None:
        if said():
            raise Unfit(name, "prints something")
        if len(os.listdir("/proc/self/task")) > 1:
            raise Unfit(name, "starts threads")
        if _children():
            raise Unfit(name, "starts processes")
        for number, target in opened().items():
            if self._open.get(number) != target:
                self._judge_open(name, target)

    @staticmethod
    def _judge_open(name: str, target: str) -> None:
        if target.startswith("socket:"):
            raise Unfit(name, "opens a connection")
        if target.startswith(_DEVICES):
            raise Unfit(name, "opens a graphics card")


def opened() -> dict[int, str]:
    """What each descriptor of this process leads to."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the listing's own
            found[int(number)] = os.readlink(f"/proc/self/fd/{number}")
    return found


def _children() -> bytes:
    with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
        return file.read()


def _touch(name: str) -> None:
    """Do to a dotted name what a script does that imports or uses it."""
    words = name.split(".")
    found: object = importlib.import_module(words[0])
    for place, word in enumerate(words[1:], start=2):
        if not isinstance(found, ModuleType):
            return
        if not hasattr(found, word):
            importlib.import_module(".".join(words[:place]))
        found = getattr(found, word)


def hidden(folders: Iterable[str], before: frozenset[str]) -> str:
    """A module that a script would find in one of `folders`, but that has been loaded from
    elsewhere, by its imports or by ours; empty if there is none. `before` are the top-level names
    that are loaded whatever a script does, and those that will be gone."""
    loaded = {name.partition(".")[0] for name in sys.modules} - before
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _module_of(entry) in loaded:
                    return os.path.join(folder, entry.name)
    return ""


def _module_of(entry: "os.DirEntry[str]") -> str:
    """The module that a file or folder is to an import; empty for what is none."""
    name, _, kind = entry.name.partition(".")
    if kind:
        return name if kind == "py" or kind == "pyc" or kind.endswith("so") else ""
    inside = os.path.join(entry.path, "__init__.py")
    return name if os.path.isfile(inside) else ""
