"""Guessing passwords is slowed down: so many tries per person and address, then wait.

django-axes was looked at: it counts up to a lock-out instead of over a sliding window, keeps what
was typed as the name in clear, and lets tries that run side by side through. This is all we need.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from studio.models import SignInAttempt

WINDOW = timedelta(minutes=15)
# Tries with one name from one address; tries from one address with whatever names.
PER_PERSON, PER_ADDRESS = 10, 100


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many tries: the next one is heard after so many seconds."""

    seconds: int

    @property
    def minutes(self) -> int:
        """For people."""
        return -(-self.seconds // 60)


def begin(name: str, asker: str, now: datetime) -> SignInAttempt | Wait:
    """Count a try before it is made, so that tries side by side are counted too; `asker`: whom
    limits by address mean.

    It stays as a failure unless `succeeded` clears it. What is refused does not count.
    """
    SignInAttempt.objects.filter(at__lte=now - WINDOW).delete()
    attempt = SignInAttempt.objects.create(name=_digest(name), address=asker, at=now)
    here = SignInAttempt.objects.filter(address=attempt.address).order_by("-at", "-pk")
    for rows, limit in ((here.filter(name=attempt.name), PER_PERSON), (here, PER_ADDRESS)):
        newest = list(rows.values_list("at", flat=True)[: limit + 1])
        if len(newest) > limit:
            attempt.delete()
            return Wait(max(1, int((newest[limit] + WINDOW - now).total_seconds())))
    return attempt


def succeeded(attempt: SignInAttempt) -> None:
    """The right password clears what went wrong before with this name from there."""
    SignInAttempt.objects.filter(name=attempt.name, address=attempt.address).delete()


def _digest(name: str) -> str:
    same = unicodedata.normalize("NFKC", name).strip().casefold()
    return salted_hmac("studio.people.throttle", same, algorithm="sha256").hexdigest()
