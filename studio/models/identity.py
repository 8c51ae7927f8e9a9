"""Who somebody is to an identity provider (OpenID Connect)."""

from django.db import models
from django.utils import timezone


class Identity(models.Model):
    """A subject of an issuer is this person; a person has one with each issuer."""

    user = models.ForeignKey("studio.User", models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
            models.UniqueConstraint(fields=["issuer", "user"], name="identity_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
