"""What machines without the studio's files are given: the carrier, and the code of a sweep."""

import hashlib
import json
import os
import zipfile
from functools import cache
from pathlib import Path

from sweeps.runners.relay.place import EXECUTABLES

_ROOT = Path(__file__).parents[3]
# All that the carrier imports of ours (a test looks that it is).
CARRIER = (
    "sweeps/__init__.py",
    *(
        f"sweeps/runners/{name}.py"
        for name in (
            "__init__", "command", "guard", "leftovers", "logs", "masking", "outcomes", "proc",
            "records", "results", "run_as", "shim", "spool",
        )
    ),
    *(
        f"sweeps/runners/relay/{name}.py"
        for name in ("__init__", "carrier", "line", "parcels", "place", "telling")
    ),
    "sweeps/stores/__init__.py",
    "sweeps/stores/removal.py",
)  # fmt: skip
ENTRY = "sweeps/runners/relay/carrier.py"
# Zip knows no earlier time; and the same content makes the same file.
_TIME = (1980, 1, 1, 0, 0, 0)


def digest_of(code_digest: str) -> str:
    """What names the package for a code snapshot; another carrier makes another one."""
    text = f"{_carrier_digest()}:{code_digest}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@cache
def _carrier_digest() -> str:
    found = hashlib.sha256()
    for name in CARRIER:
        found.update(name.encode() + b"\0" + (_ROOT / name).read_bytes() + b"\0")
    return found.hexdigest()


def write(path: str, code: Path | None) -> None:
    """Write the package as a zip file: the carrier, and the code below `code/`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name in CARRIER:
            _add(package, name, _ROOT / name)
        executables = []
        for file in _files(code) if code else ():
            name = file.relative_to(code).as_posix()  # type: ignore[arg-type]
            _add(package, f"code/{name}", file)
            if os.access(file, os.X_OK):
                executables.append(name)
        _put(package, "code/", b"")
        _put(package, f"code-{EXECUTABLES}", json.dumps(executables).encode())


def _files(code: Path) -> list[Path]:
    return sorted(Path(place, name) for place, _folders, names in os.walk(code) for name in names)


def _add(package: zipfile.ZipFile, name: str, file: Path) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with file.open("rb") as source, package.open(info, "w", force_zip64=True) as target:
        while data := source.read(2**20):
            target.write(data)


def _put(package: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.external_attr = (0o755 if name.endswith("/") else 0o644) << 16
    package.writestr(info, data)
