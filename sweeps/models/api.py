"""What the REST API must remember."""

from django.db import models
from django.utils import timezone

from studio.models import ApiToken
from studio.models.secret import SealedCharField


class ApiRequest(models.Model):
    """A request that named itself (`Idempotency-Key`), and its answer once there is one.

    `status` is None while it is being answered; whoever finds it so after `claimed_until` may
    answer it.
    """

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    # SHA-256 of method, address and body: another request must not get this one's answer.
    fingerprint = models.CharField(max_length=64)
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    # Sealed: some answers tell a secret, once.
    answer = SealedCharField(max_length=10_000_000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="request_key_once"),
        ]

    def __str__(self) -> str:
        return self.key
