"""Signing in and out, failed tries too, as entries of the audit log: by Django's own signals, so
that every way in counts."""

from typing import Any

from django.contrib.auth import signals
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from studio import audit
from studio.models import User


@receiver(signals.user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    with transaction.atomic():
        audit.note("signed in", "session", str(user), who=user)


@receiver(signals.user_logged_out)
def _signed_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            audit.note("signed out", "session", str(user), who=user)


@receiver(signals.user_login_failed)
def _failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    """People type passwords where names belong: only names that there are get written down."""
    typed = str(credentials.get("username") or "").replace("\0", "")[:150]
    known = User.objects.filter(username__iexact=typed).values_list("username", flat=True).first()
    with transaction.atomic():
        audit.note("failed to sign in", "session", known or audit.NOT_SAID)
