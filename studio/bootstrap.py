"""What a first start makes: schema, static files, workspace, compute, owner, sign-in link."""

import hashlib
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import transaction

from studio.models import User, Workspace
from studio.peers import is_loopback
from studio.people.accounts import has_owner
from studio.people.passwords import new_sign_in_link
from studio.services import create_workspace

__all__ = ["collect_static", "first_rows", "migrate", "new_sign_in_link", "refuse_without_owner"]

DEFAULT_WORKSPACE = "default"
OWNER = "owner"


def migrate() -> None:
    """Bring the studio's database up to date."""
    call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Gather and compress static files, unless the same files were gathered before."""
    stamp = settings.STATIC_ROOT / ".stamp"
    now = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(now)


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
