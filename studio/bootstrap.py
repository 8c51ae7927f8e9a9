"""What a first start makes: schema, static files, workspace, compute, owner, sign-in link."""

import hashlib
import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import NoReturn
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from studio.models import User, Workspace
from studio.peers import is_loopback
from studio.people.accounts import has_owner
from studio.people.passwords import new_sign_in_link
from studio.services import create_workspace

__all__ = [
    "alone",
    "first_rows",
    "migrate",
    "new_sign_in_link",
    "refuse_without_owner",
    "static_files",
]

DEFAULT_WORKSPACE = "default"
# Any number that nobody else uses in this database.
_SETTING_UP = 0x57454550
OWNER = "owner"


def migrate() -> None:
    """Bring the studio's database up to date."""
    if _is_up_to_date():
        return
    with alone():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def alone() -> Iterator[None]:
    """While no other host sets the same database up."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_SETTING_UP])
    try:
        yield
    except BaseException:
        connection.close()  # and with it the lock
        raise
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_SETTING_UP])


def _is_up_to_date() -> bool:
    """Whether all migrations that there are were made, by their names alone.

    `migrate` imports each, and works out what tables they make, before it finds nothing to do.
    """
    return _migrations() <= MigrationRecorder(connection).applied_migrations().keys()


def _migrations() -> set[tuple[str, str]]:
    """App and name of each migration on the disk."""
    found = set()
    for app in apps.get_app_configs():
        module, _ = MigrationLoader.migrations_module(app.label)
        spec = find_spec(module) if module else None
        places = (spec and spec.submodule_search_locations) or []
        found |= {(app.label, name) for _, name, _ in iter_modules(places) if name[0] not in "_~"}
    return found


@contextmanager
def static_files() -> Iterator[None]:
    """Gather and compress static files, unless the same files were gathered before.

    In a fork, beside what is done within: on a first start both take seconds of a core. Raises
    ImproperlyConfigured.
    """
    stamp = settings.STATIC_ROOT / ".stamp"
    now = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        yield
        return
    pid = os.fork()
    if pid == 0:
        _gather(stamp, now)
    try:
        yield
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    if os.waitpid(pid, 0)[1]:
        raise ImproperlyConfigured("The static files could not be gathered: see above.")


def _gather(stamp: Path, now: str) -> NoReturn:
    """What the fork does."""
    code = 1
    try:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        stamp.write_text(now)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _static_fingerprint() -> str:
    """Names, sizes and times of every static file."""
    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def first_rows(now: datetime) -> User:
    """The default workspace, its compute and the owner, made where missing; returns the owner."""
    with transaction.atomic():
        owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if owner is None:
            owner = User(username=OWNER, is_superuser=True, is_staff=True, date_joined=now)
            owner.set_unusable_password()
            owner.save()
        if not Workspace.objects.exists():
            create_workspace(Workspace(name=DEFAULT_WORKSPACE, created_at=now), owner)
    return owner


def refuse_without_owner() -> None:
    """A studio that others reach needs somebody who can sign in and look after it.

    Raises ImproperlyConfigured.
    """
    places = {
        "STUDIO_HOST": settings.STUDIO_HOST,
        "STUDIO_URL": urlsplit(settings.STUDIO_URL).hostname or "",
    }
    told = next((f"{name} ({host})" for name, host in places.items() if not is_loopback(host)), "")
    recognised = settings.STUDIO_OIDC_ISSUER or settings.STUDIO_PROXY_USER_HEADER
    if told and not recognised and not has_owner():
        raise ImproperlyConfigured(
            f"{told} is within reach of other machines, and no administrator has a password yet. "
            "Run `.venv/bin/python manage.py owner NAME`, which asks for one, then start again."
        )
