"""Accounts."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person; `is_superuser` is the site administrator.

    Our own model from the first migration, because changing it later is not possible in place.
    """

    # Somebody else vouches for the address: mail that was sent there, an identity provider, or
    # whoever runs the studio. What people write into their own account is not.
    email_is_verified = models.BooleanField(default=False)

    @property
    def initials(self) -> str:
        """Up to two letters for the account button."""
        words = (self.get_full_name() or self.username).replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper()
