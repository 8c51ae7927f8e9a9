"""A notice of something that happened to a sweep, whole: nothing that happens later changes it."""

from datetime import datetime
from typing import Any

from django.conf import settings

from sweeps.domain.notices import Event
from sweeps.domain.states import FINAL_TRIAL, TrialStatus
from sweeps.models import Sweep
from sweeps.queries.best import best_of
from sweeps.queries.records import trial_counts


def payload_of(sweep: Sweep, event: Event, now: datetime) -> dict[str, Any]:
    """The notice as webhooks get it: type, timestamp and data (docs/notifications.md)."""
    counts, best = trial_counts(sweep), best_of(sweep)
    data: dict[str, Any] = {
        "workspace": sweep.workspace.name,
        "sweep": sweep.name,
        "display_name": sweep.display_name,
        "experiment": sweep.experiment_name,
        "url": settings.STUDIO_URL + sweep.get_absolute_url(),
        "status": sweep.status,
        "reason": sweep.reason,
        "metric": sweep.primary_metric,
        "goal": sweep.goal,
        "trials": {
            "total": sweep.max_total_trials,
            "ended": sum(count for status, count in counts.items() if status in FINAL_TRIAL),
            "completed": counts.get(TrialStatus.COMPLETED, 0),
            "failed": counts.get(TrialStatus.FAILED, 0),
        },
        "best": None,
    }
    if best is not None:
        data["best"] = {
            "trial": best.trial.number,
            "value": best.value,
            "params": best.trial.flat_params,
        }
    return {"type": event.value, "timestamp": now.isoformat(), "data": data}
