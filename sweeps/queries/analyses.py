"""What the queue worked out of a sweep, whether it is time to ask anew, and what it starts from."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet

from sweeps.domain.importance import (
    MIN_TRIALS,
    Importance,
    Observations,
    axes_of,
    most_trials,
    observe,
    read_importance,
)
from sweeps.domain.states import SweepStatus
from sweeps.models import Analysis, Sweep, Trial
from sweeps.queries.prepared import Prepared
from sweeps.queries.records import objective_of, space_of

IMPORTANCE = "importance"
# While a sweep runs and somebody looks, an answer may be so old.
PACE = timedelta(seconds=30)


def latest(sweep: Sweep, kind: str) -> Analysis | None:
    """The newest answer, or the question that waits for its first one."""
    return _latest.first(sweep.pk, kind)


@Prepared
def _latest(sweep_id: int, kind: str) -> QuerySet[Analysis]:
    return Analysis.objects.filter(sweep=sweep_id, kind=kind).order_by()[:1]


def is_due(sweep: Sweep, found: Analysis | None, now: datetime) -> bool:
    """True if there is no answer, or one that is older than its pace and than the sweep.

    Of a sweep that has ended meanwhile at once, once.
    """
    if found is None or found.at is None:
        return True
    if found.revision >= sweep.revision:
        return False
    ended = sweep.ended_at if SweepStatus(sweep.status).is_final else None
    return found.at + PACE <= now or (ended is not None and found.at < ended)


def importance(sweep: Sweep) -> Importance | None:
    """How much each parameter matters, as last worked out; None before the first time."""
    found = latest(sweep, IMPORTANCE)
    return read_importance(found.document) if found and found.document else None


def importance_of(sweep: Sweep) -> Mapping[str, float] | None:
    """By parameter (flat name) its share of all importance, the weightiest first.

    None while that is not known: whoever only wants an order must have another one.
    """
    found = importance(sweep)
    if found is None or found.is_flat:
        return None
    return {weight.name: weight.share for weight in found.weights}


def observations(sweep: Sweep) -> Observations | None:
    """Trials with a value that can win; beyond the size of a sample a random one of them.

    The sample is the same for the same trials. None where there are too few.
    """
    space = space_of(sweep)
    winners = Trial.objects.filter(sweep=sweep).best_first(sweep.goal)
    numbers = sorted(winners.values_list("number", flat=True))
    if len(numbers) < MIN_TRIALS:
        return None
    most = most_trials(len(axes_of(space)))
    seen = numbers
    if len(numbers) > most:
        seen = random.Random(sweep.seed).sample(numbers, most)  # noqa: S311 - nothing secret
    loss = objective_of(sweep).loss
    rows = Trial.objects.filter(sweep=sweep, number__in=seen).order_by("number")
    found = rows.values_list("draw", "flat_params", "objective")
    return observe(space, [(d, f, loss(v)) for d, f, v in found if v is not None],
                   trials=len(numbers))  # fmt: skip
