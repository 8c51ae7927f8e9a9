"""Forgetting what of the audit log is older than is kept (STUDIO_AUDIT_DAYS)."""

import math
import time
from datetime import datetime, timedelta

from django.conf import settings

from studio.models import AuditEntry

EVERY_S = 3_600.0


class AuditLog:
    """Looks once an hour; without a number of days everything is kept."""

    def __init__(self) -> None:
        self._looked = -math.inf

    def look(self, now: datetime) -> None:
        """Drop old entries, if it is time."""
        if not settings.STUDIO_AUDIT_DAYS or time.monotonic() - self._looked < EVERY_S:
            return
        self._looked = time.monotonic()
        AuditEntry.objects.forget_before(now - timedelta(days=settings.STUDIO_AUDIT_DAYS))
