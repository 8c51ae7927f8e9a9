"""Testing computes: what was asked for and what was found."""

from datetime import datetime
from typing import Any

from django.db import transaction

from studio import audit
from studio.models import Compute


def start_test(compute: Compute, now: datetime) -> None:
    """Note that a test was asked for; the caller wakes the queue."""
    with transaction.atomic():
        record_test(compute.pk, [], None, now)
        audit.note("tested", "compute", compute.name, workspace=compute.workspace_id)


def record_test(
    compute_id: int, steps: list[dict[str, Any]], ok: bool | None, now: datetime
) -> None:
    """Keep what a test found so far; `ok` is None while it is under way."""
    state = {"ok": ok, "at": now.isoformat(), "steps": steps}
    Compute.objects.filter(pk=compute_id).update(last_test=state)
