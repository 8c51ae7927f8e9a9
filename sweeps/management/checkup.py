"""What `manage.py doctor` looks at: what each check found, and what to do where it is bad."""

import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from huey.contrib.djhuey import HUEY
from packaging.requirements import Requirement

from studio import bootstrap
from studio.models import User
from sweeps.management import access_checks
from sweeps.queries.clock import database_now
from sweeps.queries.health import DOWN, parts

OLDEST_PYTHON = (3, 11)
_SECRETS = ("secret_key", "tracking_secret")
_PIN = re.compile(r"^[A-Za-z0-9].*==.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `remedy` says what to do, "" where all is well."""

    check: str
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Every check in turn; one that cannot be made is a finding too."""
    for name, check in CHECKS.items():
        text, remedy = check()
        yield Finding(name, text, remedy)


def _python() -> tuple[str, str]:
    text = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= OLDEST_PYTHON
    return text, "" if good else "Install Python 3.11 or newer, then `make clean run`."


def _packages() -> tuple[str, str]:
    lines = _PIN.findall((Path(settings.BASE_DIR) / "requirements.txt").read_text())
    wanted = [Requirement(line) for line in lines]
    here = [one for one in wanted if one.marker is None or one.marker.evaluate()]
    wrong = [found for one in here if (found := _mismatch(one))]
    if not wrong:
        return f"{len(here)} as in requirements.txt", ""
    remedy = ".venv/bin/python -m pip install --requirement requirements.txt"
    return "; ".join(wrong[:5]) + (" …" if wrong[5:] else ""), f"Run `{remedy}`."


def _mismatch(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    ok = wanted.specifier.contains(found, prereleases=True)
    return "" if ok else f"{wanted.name} is {found}, not {str(wanted.specifier)[2:]}"


def _home() -> tuple[str, str]:
    home = Path(settings.STUDIO_HOME)
    open_ones = [
        str(home / name)
        for name in _SECRETS
        if (home / name).exists() and (home / name).stat().st_mode & 0o077
    ]
    if open_ones:
        names = " ".join(open_ones)
        return f"others may read {names}", f"Run `chmod 600 {names}`."
    return str(home), ""


def _disk() -> tuple[str, str]:
    free, least = shutil.disk_usage(settings.STUDIO_HOME).free // 2**20, settings.STUDIO_MIN_FREE_MB
    text = f"{free:,} MiB free; below {least:,} all sweeps pause"
    return text, "" if free >= least else "Free space on the disk of STUDIO_HOME."


def _database() -> tuple[str, str]:
    try:
        executor = MigrationExecutor(connection)
        left = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        applied = len(executor.loader.applied_migrations)
    except DatabaseError as error:
        words = str(error).strip().splitlines()[0]
        return f"{connection.vendor} does not answer: {words}", "Start it, or mend DATABASE_URL."
    if not applied:
        return f"{connection.vendor}, empty; the first start sets it up", ""
    if left:
        text = f"{connection.vendor}, {left} migrations behind"
        return text, "Restart the studio: it migrates before it serves."
    return f"{connection.vendor}, migrated", ""


def _queue() -> tuple[str, str]:
    kind = "Redis" if settings.REDIS_URL else "SQLite"
    try:
        return f"{kind}, {HUEY.pending_count()} tasks wait", ""
    except Exception as error:  # whatever the back end raises
        return f"{kind} does not answer: {error}", "Start it, or mend REDIS_URL."


def _port() -> tuple[str, str]:
    port = settings.STUDIO_PORT
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return f"{port} is free: the studio does not run", ""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
        is_studio = answer.status_code in (200, 503) and "application/json" in str(
            answer.headers.get("Content-Type")
        )
    except httpx.HTTPError:
        is_studio = False
    if is_studio:
        return f"{port}: a studio serves there", ""
    return f"{port} is taken by another program", "End it, or set STUDIO_PORT to a free one."


def _parts() -> tuple[str, str]:
    """Engine, queue and MLflow, where the studio runs."""
    text, _ = _port()
    if "serves" not in text:
        return "not running; `make run` starts them", ""
    try:
        found = parts(database_now())
    except DatabaseError:
        return "unknown without the database", "Mend the database first."
    down = [name for name, state in found.items() if state == DOWN]
    if down:
        return f"down: {', '.join(down)}", "See the studio's log; it restarts what fell."
    return f"up: {', '.join(found)}", ""


def _people() -> tuple[str, str]:
    """Whether somebody can sign in, where others reach the studio."""
    try:
        count = User.objects.filter(is_active=True).count()
        bootstrap.refuse_without_owner()
    except DatabaseError:
        return "unknown without the database", ""
    except ImproperlyConfigured:
        text = f"accounts: {count}; no administrator has a password, and other machines reach it"
        return text, "Run `.venv/bin/python manage.py owner NAME`."
    return f"accounts: {count}", ""


CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "Python": _python,
    "packages": _packages,
    "home": _home,
    "disk": _disk,
    "database": _database,
    "queue": _queue,
    "port": _port,
    "parts": _parts,
    "people": _people,
    "isolation": access_checks.isolated,
    "owners": access_checks.owners,
}
