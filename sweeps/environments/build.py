"""The program that builds one environment: `python -I build.py FOLDER [RECORD]`.

With RECORD it runs as a user who may write there and into FOLDER/venv, which is there and empty.

Run as trials are, under guard and shim: it outlives the studio, and whoever comes next finds what
became of it. All that it does goes to its log, in the order in which it happens.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import uv
from packaging.specifiers import SpecifierSet

# How long uv may take to find, or fetch, a Python of the versions asked for.
_PYTHON_S = 300
# Characters of the list of packages, as `places` takes it.
_MOST = 128_000


def main(folder: Path, record: Path | None = None) -> int:
    """Build it; the exit code, 0 once `built.json` is on the disk."""
    recipe = json.loads((folder / "recipe.json").read_bytes())
    tool = uv.find_uv_bin()
    os.chdir(folder)  # short paths in the log
    os.environ.update(_settings())
    os.environ.update({"UV_NO_PROGRESS": "1", "UV_NO_CONFIG": "1", "UV_COLOR": "never"})
    os.environ.setdefault("UV_CACHE_DIR", str(folder.parent / "cache"))
    os.environ.setdefault("UV_PYTHON_INSTALL_DIR", str(folder.parent / "pythons"))
    python, notes = _python(tool, recipe["base"], recipe["python"])
    anew = [] if record else ["--clear"]
    code = _run(tool, "venv", "--quiet", "--no-project", *anew, "--python", python, "venv")
    own = "venv/bin/python"
    if code == 0:
        # As pip does it: compiled once here, not by the first trials side by side.
        code = _run(
            tool, "pip", "install", "--compile-bytecode", "--python", own, "-r", "requirements.txt"
        )
    return code or _finish(folder, record, _freeze(tool, own), notes)


def _finish(folder: Path, record: Path | None, packages: list[str], notes: list[str]) -> int:
    if sum(len(line) + 1 for line in packages) > _MOST:
        _say(f"error: It has {len(packages):,} packages, and their list over {_MOST:,} characters.")
        return 1
    if record:
        _share(folder / "venv")
    _record(record or folder, "venv/bin/python", packages, notes)
    _say("The environment is built.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run(*command: str) -> int:
    _say(f"$ {shlex.join(['uv', *command[1:]])}")
    return subprocess.run(command, stderr=subprocess.STDOUT, check=False).returncode


def _python(tool: str, base: str, asked: str) -> tuple[str, list[str]]:
    """The interpreter to stand on: `base`, unless other versions are asked for and can be had.

    With notes on what differs from what was asked for.
    """
    version = _version(base)
    _say(f"Python {version} at {base}")
    if not asked or SpecifierSet(asked).contains(version, prereleases=True):
        return base, []
    _say(f"Python {asked} is asked for; looking for one")
    if _run(tool, "python", "install", "--no-bin", asked) == 0:
        found = subprocess.run(
            [tool, "python", "find", "--no-project", asked],
            capture_output=True, text=True, timeout=_PYTHON_S, check=False,
        )  # fmt: skip
        if found.returncode == 0:
            return found.stdout.strip(), []
    wanted = asked.removeprefix("==").removesuffix(".*")
    note = (
        f"Python {wanted} is not on this machine and could not be fetched: the environment has "
        f"Python {version}."
    )
    _say(note)
    return base, [note]


def _version(python: str) -> str:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


# How pip calls what uv reads from its environment.
_UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def _settings() -> dict[str, str]:
    """What this machine's pip is set to: packages come from where they come from otherwise."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, str] = {}
    for line in said.stdout.splitlines():
        name, _, value = line.partition("=")
        ours = _UV_NAMES.get(name.rpartition(".")[2])
        if ours and ours not in os.environ:
            text = value.strip().strip("'\"")
            found[ours] = " ".join(filter(_is_there, text.replace("\\n", " ").split()))
    # pip takes the best of all indexes, uv what the first one has.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **{k: v for k, v in found.items() if v}}


def _is_there(place: str) -> bool:
    """False for a folder that is missing: pip warns of it, uv would give up."""
    path = place.removeprefix("file://")
    return not path.startswith("/") or os.path.exists(path)


def _freeze(tool: str, python: str) -> list[str]:
    said = subprocess.run(
        [tool, "pip", "freeze", "--python", python], capture_output=True, text=True, check=True
    )
    return [line for line in said.stdout.splitlines() if line.strip()]


def _share(folder: Path) -> None:
    """Let the group read all, whatever installers made of the umask."""
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(here, name)
            if not os.path.islink(path):
                mode = os.stat(path).st_mode
                os.chmod(path, (mode | 0o040 | (0o010 if mode & 0o100 else 0)) & ~0o022)


def _record(folder: Path, python: str, packages: list[str], notes: list[str]) -> None:
    """Durable before it can be seen: whoever finds it may rely on the rest."""
    os.sync()
    part = folder / "built.part"
    with part.open("w") as file:
        found = {"python": _version(python), "packages": packages, "notes": notes}
        json.dump(found, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / "built.json")


def _ended(folder: Path, record: Path | None = None) -> int:
    """The exit code; ends as the installer did where that was killed, for want of memory most
    often: then it is no fault of what is to be built, and is tried again."""
    try:
        code = main(folder, record)
    except subprocess.CalledProcessError as error:
        _say(f"error: {error}")
        code = error.returncode
    if code < 0:
        _say(f"error: The installer was killed by signal {-code}")
        os.kill(os.getpid(), signal.SIGKILL)
    return code


if __name__ == "__main__":
    sys.exit(_ended(*map(Path, sys.argv[1:])))
