"""Bringing a trial's files: what it stored in MLflow, and its logs."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import quote

from sweeps.client.errors import ResourceNotFoundError, ValidationException
from sweeps.client.transport import Transport

STREAMS = ("stdout", "stderr")


class Source(Protocol):
    """Where the files of one trial come from."""

    def paths(self) -> Iterable[str]:
        """Paths of all artifacts, with /."""

    def fetch(self, path: str, target: Path) -> None:
        """Write the artifact to this file, never holding all of it."""

    def log(self, stream: str) -> Iterable[str]:
        """What the trial has written to `stdout` or `stderr`, piece by piece."""


class RestSource:
    """The trial behind a REST path."""

    def __init__(self, transport: Transport, trial: str) -> None:
        self._transport, self._trial = transport, trial

    def paths(self) -> Iterator[str]:
        """See `Source`."""
        return self._below("")

    def _below(self, folder: str) -> Iterator[str]:
        place = f"{self._trial}/artifacts" + (f"/{quote(folder)}" if folder else "")
        for item in self._transport.items(place):
            if item["is_dir"]:
                yield from self._below(item["path"])
            else:
                yield item["path"]

    def fetch(self, path: str, target: Path) -> None:
        """See `Source`."""
        self._transport.download(f"{self._trial}/artifacts/{quote(path)}", target)

    def log(self, stream: str) -> Iterator[str]:
        """See `Source`."""
        return log_parts(self._transport, self._trial, stream)


def download_trial(
    source: Source, folder: str | PathLike[str], *, output: str, logs: bool
) -> list[Path]:
    """Write the trial's files below `folder`; the files written.

    With `output` only what stands in the folder of that name, below `named-outputs/`; otherwise
    all artifacts, below `artifacts/`, and with `logs` the logs, below `logs/`. A file has its name
    only once it is whole.
    """
    root, paths = Path(folder), list(source.paths())
    targets = {path: root / "artifacts" / safe(path) for path in paths}
    if output:
        below = [path for path in paths if output in PurePosixPath(path).parts[:-1]]
        if not below:
            raise ResourceNotFoundError(f"The trial has stored nothing named “{output}”.")
        targets = {path: root / "named-outputs" / _from(output, safe(path)) for path in below}
    for path, target in targets.items():
        _whole(target, partial(source.fetch, path))
    written = list(targets.values())
    for stream in STREAMS if logs and not output else ():
        written.append(root / "logs" / f"{stream}.log")
        _whole(written[-1], partial(_write, source.log(stream)))
    return written


def _whole(target: Path, write: Callable[[Path], object]) -> None:
    """Have a file written under another name; of one that was not finished nothing stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.part")
    try:
        write(half)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _write(parts: Iterable[str], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        opened.writelines(parts)


def _from(folder: str, path: PurePosixPath) -> PurePosixPath:
    """The path from a folder of this name on: outputs/model/a as model/a."""
    return PurePosixPath(*path.parts[path.parts.index(folder) :])


def safe(path: str) -> PurePosixPath:
    """A relative path that stays inside.

    Raises ValidationException for one that does not: a script of somebody else chose it.
    """
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or not found.parts or "\\" in path:
        raise ValidationException(f"The artifact {path!r} has no plain name.")
    return found


def log_parts(transport: Transport, trial: str, stream: str, offset: int = 0) -> Any:
    """What a trial has written from byte `offset` on, piece by piece."""
    while True:
        answer = transport.send("GET", f"{trial}/logs/{stream}", params={"offset": offset})
        following = int(answer.headers["X-Next-Offset"])
        if following == offset:
            return
        yield answer.text
        offset = following
