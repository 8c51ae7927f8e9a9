"""Accounts."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person; `is_superuser` is the site administrator.

    Our own model from the first migration, because changing it later is not possible in place.
    """

    @property
    def initials(self) -> str:
        """Up to two letters for the account button."""
        words = (self.get_full_name() or self.username).replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper()
