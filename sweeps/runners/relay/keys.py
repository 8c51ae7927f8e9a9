"""Keys: names by which a machine far away means a spool, without knowing where that lies."""

import os
import re
from contextlib import suppress

# 128 bits: a key is no secret (whoever comes with one has to prove who it is), only its own.
_KEY = re.compile(r"[0-9a-f]{32}")


def new_key() -> str:
    """A key that no other attempt has."""
    return os.urandom(16).hex()


def put(keys: str, key: str, spool: str) -> None:
    """Say which spool a key opens. Relative to the folder of keys: a home may be moved."""
    os.makedirs(keys, mode=0o700, exist_ok=True)
    draft = os.path.join(keys, f".{key}")
    with open(draft, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(os.path.relpath(spool, keys))
    os.replace(draft, os.path.join(keys, key))


def spool_of(keys: str, key: str) -> str | None:
    """The spool that a key opens; None for what is no key, or none any more."""
    if not _KEY.fullmatch(key):
        return None
    try:
        with open(os.path.join(keys, key), encoding="utf-8", errors="surrogateescape") as file:
            return os.path.normpath(os.path.join(keys, file.read()))
    except FileNotFoundError:
        return None


def drop(keys: str, key: str) -> None:
    """Forget a key: who comes with it hears that the attempt is over."""
    if _KEY.fullmatch(key):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(keys, key))
