"""A trial as those who change it read it: only the columns that they look at."""

from typing import Any

from django.db.models import QuerySet

from sweeps.models import Trial
from sweeps.queries.prepared import Prepared

# What decisions on a trial need; parameters and documents stay where they are.
_DECIDES = (
    "number", "status", "desired", "reason", "attempt", "losses", "failures", "not_before",
    "sweep__uid", "sweep__name", "sweep__status", "sweep__desired", "sweep__reason",
    "sweep__primary_metric", "sweep__goal",
    "sweep__failure_policy", "sweep__trial_timeout_s", "sweep__compute", "sweep__display_name",
    "sweep__max_concurrent_trials",
)  # fmt: skip

# What a start needs besides, from it and from what its sweep belongs to.
_STARTED_WITH = ("sweep__compute", "sweep__workspace", "sweep__code", "sweep__created_by")
_STARTS = (
    "params", "sweep__git", "sweep__properties", "sweep__command", "sweep__inputs",
    "sweep__outputs", "sweep__run_id", "sweep__logged_models",
    "sweep__environment_variables", "sweep__experiment_id", "sweep__compute__kind",
    "sweep__compute__settings", "sweep__compute__slots", "sweep__compute__python",
    "sweep__compute__environment_variables",
    "sweep__workspace__name", "sweep__code__digest", "sweep__created_by__username",
)  # fmt: skip
# And what is enough for bookkeeping.
_MOVES = ("number", "status", "desired", "reason", "attempt", "sweep")


@Prepared
def to_decide(trial_id: Any) -> QuerySet[Trial, Trial]:
    """With its sweep, as far as verdicts and wishes need them."""
    return _one(trial_id).select_related("sweep").only(*_DECIDES)


@Prepared
def to_start(trial_id: Any) -> QuerySet[Trial, Trial]:
    """With all that a start needs."""
    return _one(trial_id).select_related(*_STARTED_WITH).only(*_DECIDES, *_STARTS)


@Prepared
def to_move(trial_id: Any) -> QuerySet[Trial, Trial]:
    """By itself."""
    return _one(trial_id).only(*_MOVES)


def _one(trial_id: Any) -> QuerySet[Trial, Trial]:
    return Trial.objects.filter(pk=trial_id).order_by()
