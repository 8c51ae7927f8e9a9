"""Asking the queue for what takes too long for a page, and keeping what it answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from sweeps.models import Analysis, Sweep

# After so long without an answer the wake-up counts as lost.
LOST = timedelta(seconds=20)


def ask(sweep: Sweep, kind: str, now: datetime) -> bool:
    """True for the one of all who look at the moment that has to wake the queue."""
    Analysis.objects.get_or_create(sweep=sweep, kind=kind)
    free = Q(asked_at=None) | Q(at__gte=F("asked_at")) | Q(asked_at__lt=now - LOST)
    found = Analysis.objects.filter(free, sweep=sweep, kind=kind)
    return bool(found.update(asked_at=now))


def keep(
    sweep_id: int, kind: str, revision: int, document: Mapping[str, Any] | None, now: datetime
) -> None:
    """Store an answer about the sweep at `revision`; one about a later revision stays."""
    found = Analysis.objects.filter(sweep_id=sweep_id, kind=kind, revision__lte=revision)
    found.update(revision=revision, document=document, at=now)
