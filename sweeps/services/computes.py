"""What is found out about computes: by their tests, and from their clusters."""

from datetime import datetime
from typing import Any

from django.db import transaction

from studio import audit
from studio.models import Compute
from sweeps.services.room import require_in_use


def start_test(compute: Compute, now: datetime) -> None:
    """Note that a test was asked for; the caller wakes the queue.

    Raises InvalidInput if the workspace is archived.
    """
    require_in_use(compute.workspace_id)
    with transaction.atomic():
        record_test(compute.pk, [], None, now)
        audit.note("tested", "compute", compute.name, workspace=compute.workspace_id)


def record_test(
    compute_id: int, steps: list[dict[str, Any]], ok: bool | None, now: datetime
) -> None:
    """Keep what a test found so far; `ok` is None while it is under way."""
    state = {"ok": ok, "at": now.isoformat(), "steps": steps}
    Compute.objects.filter(pk=compute_id).update(last_test=state)


def record_cluster(compute: Compute, heard: dict[str, Any], now: datetime) -> None:
    """Keep what the compute's cluster was last heard to say. Where it says nothing, what it said
    before stays, with the error."""
    former = compute.cluster or {}
    if heard["error"]:
        heard = {**former, "error": heard["error"]}
        at = former.get("at")
    else:
        at = now.isoformat()
    Compute.objects.filter(pk=compute.pk).update(cluster={**heard, "at": at})
