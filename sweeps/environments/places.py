"""Where built environments lie, what a build writes down, and whether one is whole.

<root>/<digest>/recipe.json, requirements.txt     what to build
<root>/<digest>/venv/                             the environment
<root>/<digest>/built.json                        written last: only with it the rest is whole
<root>/<digest>/build-<n>/                        spool of the n-th try, with its log
<root>/cache/, <root>/pythons/                    what the installer keeps for all of them
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.domain.environments import Recipe
from sweeps.domain.wording import cut

PROGRAM = Path(__file__).with_name("build.py")
_REASON = 600


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
    """What a finished build says of itself; None while it is not whole, or its Python has gone."""
    try:
        found = json.loads((root / digest / "built.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not python_of(root, digest).exists():
        return None  # a link to a Python that was removed or upgraded away
    return Built(found["python"], tuple(found["packages"]), tuple(found["notes"]))


def prepare(root: Path, digest: str, recipe: Recipe, number: int) -> Path:
    """Write down what to build, clear what says that an earlier try went well; the new spool.

    Raises OSError.
    """
    folder = root / digest
    spool = spool_of(root, digest, number)
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "built.json").unlink(missing_ok=True)
    (folder / "requirements.txt").write_text("\n".join([*recipe.requirements, ""]))
    (folder / "recipe.json").write_text(json.dumps(recipe.document(), indent=1))
    for earlier in range(1, number):
        shutil.rmtree(spool_of(root, digest, earlier), ignore_errors=True)
    return spool


def remove(root: Path, digest: str) -> None:
    """Remove the environment with all that belongs to it."""
    (root / digest / "built.json").unlink(missing_ok=True)  # first: from here on it is not whole
    shutil.rmtree(root / digest, ignore_errors=True)


def build_command(root: Path, digest: str) -> tuple[str, ...]:
    """The command that builds what `prepare` wrote down."""
    return (sys.executable, "-I", str(PROGRAM), str(root / digest))


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
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def summary(doc: Mapping[str, Any]) -> str:
    """A recipe in a few words."""
    lines = [line for line in doc["requirements"] if not line.startswith("-")]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    python = f"Python {doc['python']}, " if doc["python"] else ""
    return f"{python}{', '.join(cut(line, 40) for line in lines[:3])}{more}"
