"""Rights that one process holds for a while, by name: the engine's lead, forwarding a run."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from sweeps.models import EngineLease


def acquire(name: str, owner: str, now: datetime, seconds: float) -> bool:
    """Take or renew the lease; False while somebody else holds it."""
    fields = {"owner": owner, "expires_at": now + timedelta(seconds=seconds), "beat_at": now}
    free = Q(owner=owner) | Q(expires_at__lt=now)
    if EngineLease.objects.filter(free, name=name).update(**fields):
        return True
    try:
        with transaction.atomic():
            EngineLease.objects.create(name=name, **fields)
    except IntegrityError:
        return False
    return True


def release(name: str, owner: str) -> None:
    """Give the lease back."""
    EngineLease.objects.filter(name=name, owner=owner).delete()


def held(name: str, now: datetime) -> bool:
    """True while anybody holds the lease."""
    return EngineLease.objects.filter(name=name, expires_at__gte=now).exists()


def clear(name: str) -> None:
    """Take the lease from whoever holds it."""
    EngineLease.objects.filter(name=name).delete()
