"""Where built environments lie, what a build writes down, and whether one is whole.

<root>/<digest>/recipe.json, requirements.txt     what to build
<root>/<digest>/venv/                             the environment
<root>/<digest>/record/                           where a build by another user writes its record
<root>/<digest>/built.json                        written last: only with it the rest is whole
<root>/<digest>/build-<n>/                        spool of the n-th try, with its log
<root>/cache/, <root>/pythons/                    what the installer keeps for all of them
"""

import errno
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.domain.environments import Recipe
from sweeps.domain.wording import cut

PROGRAM = Path(__file__).with_name("build.py")
RECORD = "record"
_REASON = 600
# Scripts that install run here: a link that one planted is not followed, a pipe does not hold us.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)
_LONGEST = 2**20
# What is told of an environment stands in its row, and is told for each that shares it: so many
# characters of packages and of notes. A thousand packages take 30,000.
_MOST = {"packages": 128_000, "notes": 16_000}


@dataclass(frozen=True, slots=True)
class Built:
    """A whole environment: Python's version, what is installed (name==version), and notes."""

    python: str
    packages: tuple[str, ...]
    notes: tuple[str, ...] = ()


def venv_of(root: Path, digest: str) -> Path:
    """The environment's own folder."""
    return root / digest / "venv"


def python_of(root: Path, digest: str) -> Path:
    """Its interpreter."""
    return venv_of(root, digest) / "bin" / "python"


def spool_of(root: Path, digest: str, number: int) -> Path:
    """The folder of the `number`-th try to build it."""
    return root / digest / f"build-{number}"


def built(root: Path, digest: str) -> Built | None:
    """What a finished build says of itself; None while it is not whole, or its Python has gone.

    Raises OSError for a disk or a process in trouble: then nobody knows.
    """
    try:
        found = json.loads(_end_of(root / digest / "built.json", _LONGEST))
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    if not _is_sound(found) or not _has_python(root, digest):
        return None
    return Built(found["python"], tuple(found["packages"]), tuple(found["notes"]))


def _has_python(root: Path, digest: str) -> bool:
    """False where its interpreter has gone, or what that is a link to.

    In a folder of another user's, who built it, no link is followed: whoever can make one there
    would learn what lies where only we may look.
    """
    try:
        if venv_of(root, digest).lstat().st_uid == os.geteuid():
            return python_of(root, digest).exists()
        with ExitStack() as opened:
            way = None
            for part in (venv_of(root, digest), "bin"):
                way = os.open(part, _WAY, dir_fd=way)
                opened.callback(os.close, way)
            os.stat("python", dir_fd=way, follow_symlinks=False)
    except OSError as error:
        if error.errno in _GONE:
            return False
        raise
    return True


def _is_sound(found: Any) -> bool:
    """False for what the program did not write: scripts that install may write there too."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("python"), str)
        and bool(re.fullmatch(r"[\w.+]{1,32}", found["python"]))
        and all(
            isinstance(texts := found.get(name), list)
            and all(isinstance(text, str) and text.isprintable() for text in texts)
            and sum(len(text) + 1 for text in texts) <= most
            for name, most in _MOST.items()
        )
    )


def prepare(root: Path, digest: str, recipe: Recipe, number: int) -> Path:
    """Write down what to build, clear what says that an earlier try went well; the new spool.
    What earlier tries left is for the caller to throw away.

    Raises OSError.
    """
    folder = root / digest
    spool = spool_of(root, digest, number)
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "built.json").unlink(missing_ok=True)
    _write(folder / "requirements.txt", "\n".join([*recipe.requirements, ""]))
    _write(folder / "recipe.json", json.dumps(recipe.document(), indent=1))
    return spool


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # never into what somebody put in its place
    path.write_text(text, encoding="utf-8")


def accept(root: Path, digest: str) -> None:
    """Take over what a build that ran as another user says of itself, if that has sense.

    Raises OSError.
    """
    folder = root / digest
    try:
        found = json.loads(_end_of(folder / RECORD / "built.json", _LONGEST))
    except (ValueError, RecursionError):
        return
    except OSError as error:
        if error.errno in _GONE:
            return
        raise
    if _is_sound(found):
        part = folder / "built.part"
        with part.open("w") as file:
            json.dump({name: found[name] for name in ("python", "packages", "notes")}, file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / "built.json")


def remove(root: Path, digest: str) -> None:
    """Remove the environment with all that belongs to it."""
    (root / digest / "built.json").unlink(missing_ok=True)  # first: from here on it is not whole
    shutil.rmtree(root / digest, ignore_errors=True)


def build_command(root: Path, digest: str, *, apart: bool = False) -> tuple[str, ...]:
    """The command that builds what `prepare` wrote down; `apart` where it runs as another user."""
    record = (str(root / digest / RECORD),) if apart else ()
    return (sys.executable, "-I", str(PROGRAM), str(root / digest), *record)


# What the installer needs of the studio's own environment: where packages come from.
_NAMES = ("NETRC", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
_PREFIXES = ("UV_", "PIP_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def build_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a build: `base` and how this machine reaches packages."""
    more = {
        name: value
        for name, value in os.environ.items()
        if name in _NAMES or name.startswith(_PREFIXES) or name.upper() in _PROXIES
    }
    return {**base, **more}


def last_line(spool: Path) -> str:
    """The newest line of a build's log, for people who wait for it."""
    lines = [line for line in _tail(spool / "stdout.log").splitlines() if line.strip()]
    return cut(plain(lines[-1]).strip(), 120) if lines else ""


def failure(spool: Path) -> str:
    """Why the build failed, as its log says it at the end; "" when that says nothing."""
    lines = [plain(line).strip() for line in _tail(spool / "stdout.log").splitlines()]
    begins = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    lines = lines[begins[-1] + 1 :] if begins else lines
    errors = [i for i, line in enumerate(lines) if re.match("error:|×", line)]
    said = lines[errors[0] :] if errors else lines[-1:]
    text = " ".join(re.sub(r"^[×╰│├─▶\s]+|^error:", "", line).strip() for line in said)
    text = re.sub(r"\.? cause:", ".", re.sub(r"\s+", " ", text))
    return cut(text.strip().rstrip("."), _REASON)


def plain(text: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _tail(path: Path, most: int = 8192) -> str:
    try:
        return _end_of(path, most).decode(errors="replace")
    except OSError:
        return ""


def _end_of(path: Path, most: int) -> bytes:
    """The last `most` bytes of a file. Raises OSError."""
    descriptor = os.open(path, _READ)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(errno.ENOENT, "It is no file", str(path))
        file.seek(max(0, found.st_size - most))
        return file.read(most)


def summary(doc: Mapping[str, Any]) -> str:
    """A recipe in a few words."""
    lines = [line for line in doc["requirements"] if not line.startswith("-")]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    python = f"Python {doc['python']}, " if doc["python"] else ""
    return f"{python}{', '.join(cut(line, 40) for line in lines[:3])}{more}"
