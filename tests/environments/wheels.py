"""Wheels made here, so that environments can be built without the internet."""

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str, code: str = "") -> Path:
    """A wheel of one module. Format: PEP 427."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": code or f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def offline(folder: Path) -> tuple[str, ...]:
    """Requirement lines that let packages come from a folder alone."""
    return "--no-index", f"--find-links {folder}"


_BACKEND = """
import pathlib, time, zipfile

def build_wheel(folder, settings=None, metadata=None):
    with open({begun!r}, "a") as file:
        file.write("build\\n")
    while not pathlib.Path({gate!r}).exists():
        time.sleep(0.05)
    wheel = pathlib.Path({wheel!r})
    (pathlib.Path(folder) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name
"""


def make_slow_source(folder: Path, name: str, begun: Path, gate: Path) -> Path:
    """A source archive whose building writes a line to `begun`, then waits for the file `gate`."""
    wheel = make_wheel(folder / "hidden", name, "1.0")
    backend = _BACKEND.format(begun=str(begun), gate=str(gate), wheel=str(wheel))
    return make_source(folder, name, backend)


def make_killer(folder: Path, name: str) -> Path:
    """A source archive whose building kills the installer, as the kernel does for memory."""
    backend = (
        "import os, signal\n\ndef build_wheel(*_):\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    return make_source(folder, name, backend)


def make_source(folder: Path, name: str, backend: str) -> Path:
    """A source archive with this build backend in its tree. Format: PEP 517."""
    module = name.replace("-", "_")
    files = {
        "pyproject.toml": "[build-system]\nrequires = []\n"
        'build-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
    }
    source = folder / f"{module}-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{module}-1.0/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return source
