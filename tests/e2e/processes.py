"""The process table as the tests see it: whose command runs, what is left, who is too many."""

import os
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

COOKIE = b"SWEEP_PROCESS_COOKIE="
# What a running studio consists of: a word of each part's command line, and how many carry it.
PARTS = {
    "sweep-studio: queue": 1,
    "sweep-studio: engine": 1,
    "sweeps.tracking.server": 3,  # the server, who forks another one, and the heir of that
    "gunicorn: ": 2,  # its master and its worker
}
KINDS = {
    "sweep-studio: queue": "queue",
    "sweep-studio: engine": "engine",
    "sweeps.tracking.server": "tracking",
    "gunicorn: ": "web",
    "sweep-studio: supervisor": "supervisor",
    "runners/launch.py": "nursery",
}
NURSERY = b"runners/launch.py"


def folders() -> list[Path]:
    """The processes there are, by their folders in /proc."""
    return [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]


def state_of(folder: Path) -> str:
    """The letter of a process's state, X once it has gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def carriers(spool_part: str) -> dict[int, str]:
    """Living commands of trials whose cookie contains `spool_part`: pid -> cookie."""
    found = {}
    for folder in folders():
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for variable in variables:
            cookie = variable.removeprefix(COOKIE).decode(errors="replace")
            if (
                variable.startswith(COOKIE)
                and spool_part in cookie
                and state_of(folder) not in "ZX"
            ):
                found[int(folder.name)] = cookie
    return found


def belonging(home: Path) -> dict[int, str]:
    """Living processes that know this home, down to commands of trials: pid -> words."""
    found = {}
    for folder in folders():
        try:
            words, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            known = str(home).encode() in words + variables or _writes_to(folder, home)
        except OSError:
            continue
        if known:
            found[int(folder.name)] = words.replace(b"\0", b" ").decode(errors="replace")[:200]
    return found


def _writes_to(folder: Path, home: Path) -> bool:
    """Guards and shims are forks that carry no words of their own, but hold files of their spool;
    where they are forked from is a child of a part.

    Raises OSError if the process has gone.
    """
    if not name_of(folder).startswith("sweep-"):
        if NURSERY not in (folder / "cmdline").read_bytes():
            return False
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        return str(home).encode() in Path(f"/proc/{parent}/environ").read_bytes()
    return any(os.readlink(file).startswith(f"{home}/") for file in (folder / "fd").iterdir())


def name_of(folder: Path) -> str:
    """What ps shows as the command. Raises OSError if the process has gone."""
    return (folder / "comm").read_text().strip()


def kinds(home: Path) -> dict[str, list[int]]:
    """Living processes of the studio by what they are: its parts, guard, shim, nursery, trial."""
    found: dict[str, list[int]] = {}
    for pid, words in belonging(home).items():
        with suppress(OSError):
            found.setdefault(_kind(Path(f"/proc/{pid}"), words), []).append(pid)
    return found


def _kind(folder: Path, words: str) -> str:
    name = name_of(folder)
    if name in ("sweep-guard", "sweep-shim"):
        return name.removeprefix("sweep-")
    for word, kind in KINDS.items():
        if word in words:
            return kind
    return "trial" if COOKIE in (folder / "environ").read_bytes() else "other"


def left_over(home: Path) -> list[str]:
    """Command lines of `belonging`."""
    return list(belonging(home).values())


def wait_none_left(home: Path, seconds: float = 30) -> None:
    """Fail unless every process of the studio has gone."""
    deadline = time.monotonic() + seconds
    while left := left_over(home):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def too_many(home: Path) -> dict[str, int]:
    """Parts of the studio that run more often, or less, than once."""
    lines = belonging(home).values()
    counts = Counter({part: sum(part in line for line in lines) for part in PARTS})
    return {part: counts[part] for part, right in PARTS.items() if counts[part] != right}


def zombies(home: Path) -> list[int]:
    """Dead children that a process of the studio has not collected."""
    ours = belonging(home)
    found = []
    for folder in folders():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] == "Z" and int(fields[1]) in ours:
            found.append(int(folder.name))
    return found


class Watch:
    """Samples the process table every 100 ms: how many attempts of a sweep run at once (I6)."""

    def __init__(self, name: str) -> None:
        self.most, self.samples = 0, 0
        self._name, self._over = name, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self.samples += 1
            self.most = max(self.most, len(set(carriers(f".{self._name}.").values())))

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)
