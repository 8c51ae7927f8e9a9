"""Keeping what the engine measured of this machine."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from sweeps.models import MachineSample

# A little more than pages draw.
KEPT = timedelta(minutes=12)


def keep_sample(
    cpu_percent: float, memory_used: int, gpus: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Write one sample (its figures are those of MachineSample) and drop those that are too old."""
    with transaction.atomic():
        MachineSample.objects.filter(at__lt=now - KEPT).delete()
        figures = {"cpu_percent": cpu_percent, "memory_used": memory_used, "gpus": list(gpus)}
        MachineSample.objects.update_or_create(at=now, defaults=figures)
