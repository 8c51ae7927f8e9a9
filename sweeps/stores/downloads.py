"""Downloading one file: in pieces to a partial file that is resumed, then kept by content."""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

import httpcore

from sweeps.domain.web_inputs import WebInput, not_public, without_query
from sweeps.stores.guarded import PrivateAddress, PublicOnly
from sweeps.stores.hurried import Hurried
from sweeps.stores.paced import Paced

_MOST_REDIRECTS = 5
_TIMEOUTS = {"timeout": {"connect": 10.0, "read": 30.0, "write": 10.0, "pool": 10.0}}
_LATER = (408, 425, 429)
_NETWORK = (
    httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """What a server calls a version of a file."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A kept download: hex SHA-256, bytes, version."""

    digest: str
    size: int
    version: Version


@dataclass(frozen=True, slots=True)
class Limits:
    """`most` bytes of a file, `spare` bytes to leave free on the disk, private hosts or not.

    `rate` is what must come at least, in bytes a second, over each `window_s` of waiting for it,
    `seconds` how long a try may last: a server may hold no thread for as long as it likes.
    """

    most: int
    spare: int
    private: bool = False
    rate: int = 8 * 1024
    window_s: float = 60.0
    seconds: float = 12 * 3600.0


class DownloadFailed(Exception):
    """It did not work; with `again` a later try may."""

    def __init__(self, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


class Busy(Exception):
    """Another process downloads it at this moment."""


# Told of bytes there are, bytes there will be (None: unknown), and the version; may raise to stop.
Tell = Callable[[int, int | None, Version], None]


def place(root: Path, digest: str, name: str) -> Path:
    """Where a downloaded file lies, alone in its folder."""
    return root / f"{digest}.{hashlib.sha256(name.encode()).hexdigest()[:8]}" / name


def download(
    root: Path,
    source: WebInput,
    limits: Limits,
    tell: Tell,
    *,
    known: Known | None = None,
    begun: Version | None = None,
) -> Known:
    """Bring a file below `root`, once.

    `known` is what an earlier download found: kept if the server says that it still holds. `begun`
    is the version of which a partial file may be there. Raises DownloadFailed, Busy, OSError.
    """
    if known is not None and not place(root, known.digest, source.name).is_file():
        known = None
    if known is not None and source.sha256:
        if known.digest == source.sha256:
            return known  # Whatever the server would say: this is what is asked for.
        known = None
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = root / f".part-{hashlib.sha256(source.url.encode()).hexdigest()[:32]}"
    with _locked(part) as file:
        try:
            with httpcore.ConnectionPool(network_backend=_backend(limits)) as pool:
                found = _fetch(pool, source, file, limits, tell, known, begun)
        except PrivateAddress as error:
            raise DownloadFailed(not_public(source, str(error))) from error
        except (httpcore.UnsupportedProtocol, ValueError, TypeError) as error:
            text = f"{source.shown} leads to an address that cannot be used: {error}"
            raise DownloadFailed(text) from error
        except _NETWORK as error:
            text = str(error) or type(error).__name__
            raise DownloadFailed(f"{source.shown} does not answer: {text}", again=True) from error
        if found is known and known is not None:
            part.unlink(missing_ok=True)
            return known
        return _keep(root, part, file, source, found)


def _backend(limits: Limits) -> httpcore.NetworkBackend:
    open_ = httpcore.SyncBackend() if limits.private else PublicOnly()
    in_time = Hurried(open_, time.monotonic() + limits.seconds)
    return Paced(in_time, limits.rate, limits.window_s)


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """The partial file, ours alone until the end of the block or of this process."""
    with part.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy from error
        if not part.exists() or os.fstat(file.fileno()).st_ino != part.stat().st_ino:
            raise Busy  # somebody has just finished it
        yield file


def _fetch(
    pool: httpcore.ConnectionPool,
    source: WebInput,
    file: IO[bytes],
    limits: Limits,
    tell: Tell,
    known: Known | None,
    begun: Version | None,
) -> Known:
    """Write the file, or find that the known one still holds (then that is the answer)."""
    have = file.seek(0, os.SEEK_END)
    ask: dict[str, str] = {}
    if known is not None:
        ask = _conditions(known.version)
    elif have and begun is not None and (mark := _strong(begun)):
        ask = {"Range": f"bytes={have}-", "If-Range": mark}
    url = source.url
    for _hop in range(_MOST_REDIRECTS + 1):
        with pool.stream("GET", url, headers=_headers(ask), extensions=_TIMEOUTS) as response:
            answer = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            if response.status in (301, 302, 303, 307, 308) and "location" in answer:
                url = _next(url, answer["location"], source)
                continue
            if response.status == HTTPStatus.NOT_MODIFIED and known is not None:
                return known
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                file.truncate(0)
                raise DownloadFailed(f"{source.shown} has changed meanwhile.", again=True)
            start = _start(response.status, answer, have, source)
            return _write(response, answer, file, start, source, limits, tell)
    raise DownloadFailed(f"{source.shown} redirects more than {_MOST_REDIRECTS} times.")


def _headers(ask: dict[str, str]) -> list[tuple[str, str]]:
    # Not compressed: the length is that of the file, and a part can be continued.
    fixed = {"User-Agent": "sweep-studio", "Accept": "*/*", "Accept-Encoding": "identity"}
    return [*fixed.items(), *ask.items()]


def _conditions(version: Version) -> dict[str, str]:
    if version.etag:
        return {"If-None-Match": version.etag}
    return {"If-Modified-Since": version.last_modified} if version.last_modified else {}


def _strong(version: Version) -> str:
    """What tells for sure that a part belongs to the same version."""
    etag = version.etag
    return etag if etag and not etag.startswith("W/") else "" if etag else version.last_modified


def _next(url: str, location: str, source: WebInput) -> str:
    wrong = DownloadFailed(f"{source.shown} redirects to what is no http or https address.")
    try:
        following = urljoin(url, location).partition("#")[0]
        parts = urlsplit(following)
        host = parts.hostname
    except ValueError:
        raise wrong from None
    if not host or parts.scheme not in ("http", "https"):
        raise wrong
    if url.startswith("https:") and parts.scheme != "https":
        where = without_query(following)
        raise DownloadFailed(f"{source.shown} redirects to {where}, which is not encrypted.")
    return following


def _start(status: int, answer: dict[str, str], have: int, source: WebInput) -> int:
    """Where in the file the body begins. Raises DownloadFailed for any other answer."""
    if status == HTTPStatus.OK:
        return 0
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = re.match(r"bytes (\d+)-", answer.get("content-range", ""))
        if found and int(found[1]) == have:
            return have
        raise DownloadFailed(f"{source.shown} answered with another part.", again=True)
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    raise DownloadFailed(
        f"{source.shown} answered {words}", again=status >= 500 or status in _LATER
    )


def _write(
    response: httpcore.Response,
    answer: dict[str, str],
    file: IO[bytes],
    start: int,
    source: WebInput,
    limits: Limits,
    tell: Tell,
) -> Known:
    if encoding := answer.get("content-encoding", "identity").replace("identity", ""):
        raise DownloadFailed(f"{source.shown} is sent as {encoding} only, which is not unpacked.")
    version = Version(answer.get("etag", ""), answer.get("last-modified", ""))
    length = answer.get("content-length", "")
    total = start + int(length) if length.isdigit() else None
    file.truncate(start)
    file.seek(0)
    content = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(start)
    size = start
    _check_room(file, size, total, source, limits)
    tell(size, total, version)
    checked = size
    for chunk in response.iter_stream():
        size += len(chunk)
        if size - checked > 2**24 or size > limits.most:
            checked = size
            _check_room(file, size, total, source, limits)
        file.write(chunk)
        content.update(chunk)
        tell(size, total, version)
    return Known(content.hexdigest(), size, version)


def _check_room(
    file: IO[bytes], size: int, total: int | None, source: WebInput, limits: Limits
) -> None:
    if max(size, total or 0) > limits.most:
        text = f"{source.shown} is larger than {limits.most // 2**20:,} MB, the studio's limit"
        raise DownloadFailed(f"{text} (STUDIO_DOWNLOAD_CAP_MB).")
    found = os.fstatvfs(file.fileno())
    if found.f_bavail * found.f_frsize < limits.spare + max(0, (total or size) - size):
        raise DownloadFailed(f"There is not enough room on the disk for {source.shown}.")


def _keep(root: Path, part: Path, file: IO[bytes], source: WebInput, found: Known) -> Known:
    if source.sha256 and found.digest != source.sha256:
        part.unlink(missing_ok=True)
        raise DownloadFailed(
            f"{source.shown} has the SHA-256 {found.digest}, not the one in #sha256="
        )
    file.flush()
    os.fsync(file.fileno())
    target = place(root, found.digest, source.name)
    target.parent.mkdir(exist_ok=True)
    part.chmod(0o444)  # All trials read this one file; none may change it for the others.
    part.replace(target)
    return found
