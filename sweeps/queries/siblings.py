"""Sweeps that can be compared with one: of the same workspace, with the same objective."""

from collections.abc import Sequence

import numpy as np
from django.db.models import QuerySet

from sweeps.domain.board import Floats
from sweeps.domain.states import WINNING_TRIAL
from sweeps.models import Sweep, Trial

# So many are offered, newest first; any other can be named in the address.
MOST_OFFERED = 200


def siblings(sweep: Sweep) -> QuerySet[Sweep]:
    """The others, newest first."""
    same = Sweep.objects.real().filter(
        workspace=sweep.workspace_id, primary_metric=sweep.primary_metric, goal=sweep.goal
    )
    return same.exclude(pk=sweep.pk).order_by("-created_at", "-pk")


def named(sweep: Sweep, names: Sequence[str]) -> list[Sweep]:
    """Those of the others that are called so, in this order; unknown names are passed over."""
    found = {other.name: other for other in siblings(sweep).filter(name__in=names)}
    return [found[name] for name in dict.fromkeys(names) if name in found]


def values(sweep: Sweep) -> Floats:
    """The objective of each trial that can win."""
    rows = Trial.objects.filter(sweep=sweep, status__in=WINNING_TRIAL, objective__isnull=False)
    return np.array(list(rows.order_by().values_list("objective", flat=True)), dtype=np.float64)
