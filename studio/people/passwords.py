"""Setting a password, and the links that stand in for a forgotten one."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from studio import audit
from studio.models import SignInLink, User
from studio.models.token import SIGN_IN_LINK_LIFETIME, digest, new_secret


def set_password(user: User, password: str) -> None:
    """Give a person another password, already checked. Sessions of before end by it."""
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        SignInLink.objects.filter(user=user, used_at=None).delete()
        audit.note("changed", "password", str(user))


def new_sign_in_link(user: User, now: datetime, *, for_password: bool = False) -> str:
    """A URL that signs `user` in once, within an hour; `for_password`: to set a new one."""
    secret = new_secret()
    SignInLink.objects.filter(expires_at__lt=now).delete()
    until = now + SIGN_IN_LINK_LIFETIME
    with transaction.atomic():
        SignInLink.objects.create(
            user=user,
            digest=digest(secret),
            created_at=now,
            expires_at=until,
            for_password=for_password,
        )
        given = audit.made(sign_in_link_until=until)
        audit.note("made a sign-in link", "account", str(user), changes=given)
    return f"{settings.STUDIO_URL}{reverse('sign_in_link', args=[secret])}"
