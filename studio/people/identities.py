"""People whom somebody else has recognised: an OpenID provider, or a reverse proxy."""

import re
import string
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from studio import audit
from studio.models import Identity, User
from studio.services import Refused


@dataclass(frozen=True, slots=True)
class Known:
    """What the provider says; `email` only where it is verified."""

    issuer: str
    subject: str
    email: str = ""
    name: str = ""
    username: str = ""


def person_of(known: Known, now: datetime) -> User | None:
    """Whose identity this is; None for nobody's. Raises Refused for who is locked out.

    By its subject, else by a verified e-mail that one account alone has and has verified, too: an
    address that people write into their own account makes them nobody else.
    """
    found = Identity.objects.filter(issuer=known.issuer, subject=known.subject)
    identity = found.select_related("user").first()
    if identity is None and known.email:
        rows = User.objects.filter(email__iexact=known.email, email_is_verified=True)
        rows = rows.exclude(identities__issuer=known.issuer)
        fitting = [user for user in rows if _same_address(user.email, known.email)]
        if len(fitting) == 1:
            if fitting[0].is_active:
                connect(fitting[0], known, now)
            return _active(fitting[0])
    return _active(identity.user) if identity else None


_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _same_address(one: str, other: str) -> bool:
    """True if they differ in the case of ASCII letters at most. Databases compare by UPPER, to
    which a dotless i is an i, and Python's lower takes the kelvin sign for a k."""
    return one.translate(_ASCII_LOWER) == other.translate(_ASCII_LOWER)


def _active(user: User) -> User:
    if not user.is_active:
        raise Refused("This account is locked out. Ask an administrator of this studio.")
    return user


def connect(user: User, known: Known, now: datetime) -> None:
    """From now on this identity signs the person in. Raises Refused if either has another."""
    mine = {"user": user, "issuer": known.issuer, "subject": known.subject}
    if Identity.objects.filter(**mine).exists():
        return
    try:
        with transaction.atomic():
            Identity.objects.create(**mine, created_at=now)
            given = audit.made(issuer=known.issuer, subject=known.subject)
            audit.note("connected", "account", str(user), changes=given, who=user)
    except IntegrityError as error:
        raise Refused(
            "This identity belongs to another account here, or yours is connected with another."
        ) from error


def disconnect(user: User) -> None:
    """No provider signs the person in any more. Raises Refused without a password."""
    if not user.has_usable_password():
        raise Refused("Set a password first: without one you could not sign in any more.")
    with transaction.atomic():
        if Identity.objects.filter(user=user).delete()[0]:
            audit.note("disconnected", "account", str(user))


def make_person(known: Known, now: datetime) -> User:
    """An account without a password for somebody new, and their identity."""
    with transaction.atomic():
        user = make_account(_free_name(known), now, name=known.name, email=known.email)
        connect(user, known, now)
    return user


def make_account(username: str, now: datetime, *, name: str = "", email: str = "") -> User:
    """An account without a password; `email` has been verified by whoever sent them."""
    user = User(username=username, first_name=name[:150], date_joined=now)
    user.email, user.email_is_verified = email, bool(email)
    user.set_unusable_password()
    with transaction.atomic():
        user.save(force_insert=True)
        audit.note("created", "account", str(user), who=user)
    return user


def _free_name(known: Known) -> str:
    """A name for the account that nobody has."""
    wanted = re.sub(r"[^\w.@+-]+", "-", known.username).strip("-")[:140] or "person"
    taken = {
        name.casefold()
        for name in User.objects.filter(username__istartswith=wanted).values_list(
            "username", flat=True
        )
    }
    numbered = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in numbered if name.casefold() not in taken)
