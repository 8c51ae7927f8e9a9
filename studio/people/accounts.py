"""What is written down of people."""

from django.db import transaction

from studio import audit
from studio.models import User

_OWN = ("first_name", "last_name", "email")


def save_account(user: User) -> None:
    """Save what a checked form has set: what others see of a person, and where mail goes."""
    with transaction.atomic():
        before = audit.of(User.objects.select_for_update().get(pk=user.pk), *_OWN)
        changes = audit.differing(before, audit.of(user, *_OWN))
        if changes:
            user.save(update_fields=_OWN)
            audit.note("changed", "account", str(user), changes=changes)
