"""Sealing what the database has to hold and must not tell: keys lie in a file beside it.

`secrets.key` in STUDIO_HOME (mode 0600) has a key a line, as `cryptography`'s Fernet makes them
(AES-128-CBC with HMAC-SHA256); the first seals, all of them open. Without the file nothing that
was sealed can be read again.
"""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# Tells sealed texts from those of older databases.
_MARK = "fernet:"
_known: dict[Path, tuple[tuple[int, int], MultiFernet]] = {}


class SealBroken(Exception):
    """A sealed text cannot be opened: its key is gone, or somebody changed it."""


def key_file() -> Path:
    """Where the keys are kept."""
    return Path(settings.STUDIO_HOME) / "secrets.key"


def seal(text: str) -> str:
    """`text` so that only this studio can read it; "" stays as it is."""
    return _MARK + _keys().encrypt(text.encode()).decode() if text else ""


def is_sealed(text: str) -> bool:
    """Whether `seal` made it."""
    return text.startswith(_MARK)


def unseal(sealed: str) -> str:
    """What was sealed. Raises SealBroken."""
    if not sealed:
        return ""
    try:
        return _keys().decrypt(sealed.removeprefix(_MARK).encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise SealBroken from error


def add_key() -> None:
    """A new key that seals from now on; the former ones still open."""
    _keys()  # makes the first one
    _write([Fernet.generate_key().decode(), *_lines()])


def drop_former_keys() -> None:
    """Forget all keys but the first. What they sealed must have been sealed anew before."""
    _write(_lines()[:1])


def _keys() -> MultiFernet:
    path = key_file()
    try:
        found = path.stat()
    except FileNotFoundError:
        _make(path)
        found = path.stat()
    stamp = (found.st_ino, found.st_mtime_ns)
    if path not in _known or _known[path][0] != stamp:
        _known[path] = (stamp, MultiFernet([Fernet(line) for line in _lines()]))
    return _known[path][1]


def _lines() -> list[str]:
    return key_file().read_text().split()


def _make(path: Path) -> None:
    """The first key; of several processes that find none, one makes it."""
    draft = _draft([Fernet.generate_key().decode()])
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _write(lines: list[str]) -> None:
    os.replace(_draft(lines), key_file())


def _draft(lines: list[str]) -> Path:
    path = key_file().with_name(f".secrets.key.{secrets.token_hex(6)}")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    return path
