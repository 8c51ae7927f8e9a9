"""Typed environment variables that fail loudly, at start-up, in one sentence."""

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def env_str(name: str, default: str = "") -> str:
    """The variable, or `default` when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def env_int(name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    Raises ImproperlyConfigured otherwise.
    """
    text = env_str(name, str(default))
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ImproperlyConfigured(f"{name} must be a number from {low} to {high}, not “{text}”.")
    return int(text)


def env_bool(name: str, default: bool = False) -> bool:
    """true/false, 1/0, yes/no, on/off.

    Raises ImproperlyConfigured otherwise.
    """
    text = env_str(name, "true" if default else "false").lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not “{text}”.")


def env_span(name: str, default: str, low: int, high: int) -> tuple[int, int]:
    """Two numbers as FIRST-LAST, the first the smaller, both from `low` to `high`.

    Raises ImproperlyConfigured otherwise.
    """
    text = env_str(name, default)
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and low <= int(first) < int(last) <= high):
        raise ImproperlyConfigured(
            f"{name} must be two numbers from {low} to {high} as FIRST-LAST, not “{text}”."
        )
    return int(first), int(last)


def env_list(name: str, default: str = "") -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in env_str(name, default).split(",") if word.strip()]


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def env_networks(name: str) -> list[Network]:
    """Comma-separated addresses and networks.

    Raises ImproperlyConfigured for what is neither.
    """
    try:
        return [ipaddress.ip_network(word) for word in env_list(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be addresses or networks like 10.0.0.5, 10.1.0.0/16: {error}."
        ) from error


WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - names them, binds none


def url_host(host: str) -> str:
    """The host of a URL that reaches a server bound to `host` from this machine."""
    if host in WILDCARDS:
        host = "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def writable_folder(path: Path, name: str) -> Path:
    """`path`, made if missing.

    Raises ImproperlyConfigured when it cannot be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / f".writable-{os.getpid()}-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} {path} cannot be written to ({error.strerror}). "
            f"Point {name} at a folder that you own."
        ) from error
    return path


def kept_secret(path: Path) -> str:
    """The secret kept in the file at `path`, made on first use (0600)."""
    if path.exists():
        return path.read_text().strip()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # whole or not at all: another process, or host, may be at it too
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


def database(url: str, home: Path) -> dict[str, Any]:
    """Django's DATABASES entry for DATABASE_URL; empty means SQLite in `home`.

    Raises ImproperlyConfigured for a scheme other than postgresql.
    """
    if not url:
        return _sqlite(home / "studio.db")
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"DATABASE_URL must start with postgresql://, not “{parts.scheme}://”; "
            "leave it empty for SQLite in STUDIO_HOME."
        )
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Who knocks at a dead host must not wait for minutes.
        "OPTIONS": {"connect_timeout": "5"} | query,
    }


# Scheme of a mail server's URL -> its usual port, TLS by STARTTLS, TLS from the start.
_MAIL = {
    "smtp": (25, False, False),
    "smtp+starttls": (587, True, False),
    "smtps": (465, False, True),
}


def mail_server(url: str, name: str) -> dict[str, Any]:
    """Django's settings for the mail server that the variable `name` says; {} for none.

    Raises ImproperlyConfigured for what is no such URL.
    """
    if not url:
        return {}
    parts = urlsplit(url)
    try:
        usual, starttls, tls = _MAIL[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError) as error:
        raise ImproperlyConfigured(
            f"{name} must be smtps://user:password@host:465, or smtp+starttls:// or smtp://."
        ) from error
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": starttls,
        "EMAIL_USE_SSL": tls,
    }


def check_sign_in(
    *, issuer: str, client: tuple[str, str], header: str, trusted: list[Network], secret: str
) -> None:
    """Ways to sign in that are set by halves, or so that anybody could use them.

    Raises ImproperlyConfigured.
    """
    if issuer and not all(client):
        raise ImproperlyConfigured(
            "STUDIO_OIDC_ISSUER needs STUDIO_OIDC_CLIENT_ID and STUDIO_OIDC_CLIENT_SECRET, too."
        )
    parts = urlsplit(issuer)
    if issuer and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ImproperlyConfigured(f"STUDIO_OIDC_ISSUER must begin with https://, not “{issuer}”.")
    if header and not trusted:
        raise ImproperlyConfigured(
            "STUDIO_PROXY_USER_HEADER needs STUDIO_PROXY_TRUSTED: from whom the header counts."
        )
    if (
        header
        and not secret
        and any(network.overlaps(_LOOPBACK[network.version]) for network in trusted)
    ):
        raise ImproperlyConfigured(
            "STUDIO_PROXY_USER_HEADER with a proxy on this machine needs STUDIO_PROXY_SECRET: "
            "any program here, trials too, could name itself anybody."
        )


_LOOPBACK: dict[int, Any] = {
    4: ipaddress.ip_network("127.0.0.0/8"),
    6: ipaddress.ip_network("::1/128"),
}


def sqlalchemy_url(url: str) -> str:
    """The same URL for SQLAlchemy, which would look for a driver that is not installed."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


def _sqlite(path: Path) -> dict[str, Any]:
    """SQLite that neither loses acknowledged writes (FULL) nor deadlocks writers (IMMEDIATE)."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
