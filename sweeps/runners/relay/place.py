"""A carrier's place: the spool of an attempt as it is on a machine far from the studio."""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

from sweeps.runners import outcomes, proc, spool
from sweeps.runners.outcomes import Cause, Span
from sweeps.runners.relay.line import Line
from sweeps.runners.results import EndedBy

_PYTHON = ("python", "python3")
EXECUTABLES = "executables.json"


def make(folder: str, told: Mapping[str, Any], code: str, line: Line) -> None:
    """Lay out all that the command is to find, and put its launch on record.

    Raises OSError, and what fetching a file raises.
    """
    launch = told["launch"]
    moves = [(there, folder) for there in told["spools"]]
    cwd = _moved(launch["cwd"], moves)
    if cwd != launch["cwd"]:
        _copy(code, cwd)
    for name in ("", *told["outputs"]):
        os.makedirs(os.path.join(folder, "outputs", name), exist_ok=True)
    if told["params"]:
        with open(os.path.join(folder, "params.json"), "w", encoding="utf-8") as file:
            file.write(told["params"])
    moves += _fetch(folder, told["lent"], line)
    env = {name: _moved(value, moves) for name, value in launch["env"].items()}
    python = told["relay"]["python"] or sys.executable
    own = {
        **launch,
        "spool": folder,
        "argv": _command([_moved(word, moves) for word in launch["argv"]], python),
        "cwd": cwd,
        "env": {**_of_machine(told["relay"]["machine"], env, python), **env},
        "boot_id": proc.boot_id(),
        "launched_at": time.time(),
        "launch": time.monotonic(),
    }
    spool.claim(folder, spool.LAUNCH, own)


def not_made(error: Exception) -> dict[str, Any]:
    """The result of a command whose place could not be made: another machine may be able to."""
    now = time.time()
    words = f"Its machine could not get ready for it: {error}. It can be run again."
    return outcomes.unseen(Cause(EndedBy.LOST, words), Span(now, now))._asdict()


def _moved(text: str, moves: list[tuple[str, str]]) -> str:
    """The same with paths of this machine. The spool's path has the sweep's own random name in it:
    nobody means anything else by it."""
    for there, here in moves:
        text = text.replace(there, here)
    return text


def _copy(code: str, cwd: str) -> None:
    """A copy of the code for this trial alone: the engine shows all jobs the same one."""
    if os.path.isdir(code):
        shutil.copytree(code, cwd)
        with open(f"{code}-{EXECUTABLES}", encoding="utf-8") as file:
            for name in json.load(file):  # archives of an engine keep no modes
                os.chmod(os.path.join(cwd, name), 0o755)  # noqa: S103
    os.makedirs(os.path.join(cwd, "outputs"), exist_ok=True)


def _fetch(folder: str, lent: list[dict[str, Any]], line: Line) -> list[tuple[str, str]]:
    """Get each file and folder that is lent; what becomes of their paths."""
    moves = []
    for number, one in enumerate(lent):
        here = os.path.join(folder, "inputs", str(number), one["name"])
        if one["files"] is None:
            line.fetch(number, "", here)
        else:
            os.makedirs(here, exist_ok=True)
            for name in one["files"]:
                line.fetch(number, name, os.path.join(here, name))
        moves.append((one["path"], here))
    # Longest first: of two paths one may begin with the other.
    return sorted(moves, key=lambda move: -len(move[0]))


def _command(words: list[str], python: str) -> list[str]:
    """`python` as the first word is the compute's, or that of the job, which this runs in."""
    return [python, *words[1:]] if words[0] in _PYTHON else words


def _of_machine(wanted: list[str], given: Mapping[str, str], python: str) -> dict[str, str]:
    """Variables that the command has from this machine. Its PATH begins with its Python."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name not in given and any(name == own or _begins(name, own) for own in wanted)
    }
    if "PATH" in found and os.path.isabs(python):
        found["PATH"] = f"{os.path.dirname(python)}{os.pathsep}{found['PATH']}"
    return found


def _begins(name: str, own: str) -> bool:
    return own.endswith("_") and name.startswith(own)
