"""Tries to sign in that came to nothing, kept for as long as they count."""

from django.db import models


class SignInAttempt(models.Model):
    """One try. What was typed as the name may be a password, so only a keyed digest is kept."""

    name = models.CharField(max_length=64)
    address = models.CharField(max_length=50)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["address", "name"], name="attempt_by_whom")]

    def __str__(self) -> str:
        return f"a try from {self.address}"
