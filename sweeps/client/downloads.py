"""Bringing a trial's files: what it stored in MLflow, and its logs."""

from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from sweeps.client.errors import ResourceNotFoundError, ValidationException
from sweeps.client.transport import Transport


def download_trial(
    transport: Transport, trial: str, folder: str | PathLike[str], *, output: str, logs: bool
) -> list[Path]:
    """Write the files of the trial behind this REST path below `folder`; the files written.

    With `output` only what stands in the folder of that name, below `named-outputs/`; otherwise
    all artifacts, below `artifacts/`, and with `logs` the logs, below `logs/`.
    """
    root, files = Path(folder), list(_files(transport, trial, ""))
    if output:
        below = [path for path in files if output in PurePosixPath(path).parts[:-1]]
        if not below:
            raise ResourceNotFoundError(f"The trial has stored nothing named “{output}”.")
        targets = [_from(output, safe(path)) for path in below]
        return _fetch(transport, trial, below, root / "named-outputs", targets)
    written = _fetch(transport, trial, files, root / "artifacts")
    if logs:
        written += [_log(transport, trial, name, root / "logs") for name in ("stdout", "stderr")]
    return written


def _files(transport: Transport, trial: str, folder: str) -> Any:
    """Paths of all artifacts below a folder."""
    place = f"{trial}/artifacts" + (f"/{quote(folder)}" if folder else "")
    for item in transport.get(place)["items"]:
        if item["is_dir"]:
            yield from _files(transport, trial, item["path"])
        else:
            yield item["path"]


def _from(folder: str, path: PurePosixPath) -> PurePosixPath:
    """The path from a folder of this name on: outputs/model/a as model/a."""
    return PurePosixPath(*path.parts[path.parts.index(folder) :])


def _fetch(
    transport: Transport,
    trial: str,
    paths: list[str],
    root: Path,
    targets: list[PurePosixPath] | None = None,
) -> list[Path]:
    written = []
    for path, place in zip(paths, targets or [safe(path) for path in paths], strict=True):
        target = root / place
        transport.download(f"{trial}/artifacts/{quote(path)}", target)
        written.append(target)
    return written


def safe(path: str) -> PurePosixPath:
    """A relative path that stays inside.

    Raises ValidationException for one that does not: a script of somebody else chose it.
    """
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or not found.parts or "\\" in path:
        raise ValidationException(f"The artifact {path!r} has no plain name.")
    return found


def _log(transport: Transport, trial: str, stream: str, root: Path) -> Path:
    target = root / f"{stream}.log"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(log_parts(transport, trial, stream)), encoding="utf-8")
    return target


def log_parts(transport: Transport, trial: str, stream: str, offset: int = 0) -> Any:
    """What a trial has written from byte `offset` on, piece by piece."""
    while True:
        answer = transport.send("GET", f"{trial}/logs/{stream}", params={"offset": offset})
        following = int(answer.headers["X-Next-Offset"])
        if following == offset:
            return
        yield answer.text
        offset = following
