"""What is written down of people."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from studio import audit
from studio.models import User
from studio.people.passwords import set_password
from studio.people.signing_in import end_all_sessions

_OWN = ("first_name", "last_name", "email")


def save_account(user: User) -> None:
    """Save what a checked form has set: what others see of a person, and where mail goes."""
    with transaction.atomic():
        before = audit.of(User.objects.select_for_update().get(pk=user.pk), *_OWN)
        changes = audit.differing(before, audit.of(user, *_OWN))
        if changes:
            if "email" in changes:
                user.email_is_verified = False
            user.save(update_fields=[*_OWN, "email_is_verified"])
            audit.note("changed", "account", str(user), changes=changes)


def set_up_owner(name: str, password: str, email: str = "") -> tuple[User, bool]:
    """An active administrator of that name with that password, and whether the account is new.

    What was signed in with the old password ends. Raises ValidationError.
    """
    with transaction.atomic():
        found = User.objects.filter(username=name).first()
        user = found or User(username=name, date_joined=timezone.now())
        user.is_active = user.is_superuser = user.is_staff = True
        if email:
            user.email, user.email_is_verified = email, True
        _check(user, password)
        user.save()
        audit.note("set up as owner", "account", str(user))
        set_password(user, password)
        end_all_sessions(user)
    return user, found is None


def _check(user: User, password: str) -> None:
    User._meta.get_field("username").clean(user.username, user)
    rivals = User.objects.filter(username__iexact=user.username).exclude(pk=user.pk)
    if rival := rivals.first():
        raise ValidationError(f"There is an account “{rival}” already, written like that.")
    if user.email:
        validate_email(user.email)
    validate_password(password, user)


def has_owner() -> bool:
    """True if there is an administrator who can sign in with a password."""
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    return any(user.has_usable_password() for user in administrators)
