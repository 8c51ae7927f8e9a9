"""What sweeps found lately, and what that beat."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from sweeps.domain.states import FINAL_SWEEP
from sweeps.models import Sweep
from sweeps.queries.best import best_of_each
from sweeps.queries.lists import Row
from sweeps.queries.records import objective_of

# A find is compared with those of so many sweeps before it, over all finds together.
_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Find:
    """The best value of an ended sweep; `rival` had the best one before, None if nobody had any.

    `gap` is signed, this one minus the rival's; `is_better` if it beat it.
    """

    row: Row
    rival: Sweep | None = None
    gap: float | None = None
    is_better: bool = False


def finds(rows: Sequence[Row]) -> list[Find]:
    """Each row beside the earlier sweeps of its experiment with the same objective.

    Three queries, however many rows.
    """
    rivals = _rivals([row.sweep for row in rows])
    everyone = {sweep.pk: sweep for group in rivals.values() for sweep in group}
    best = {
        pk: trial.objective
        for pk, trial in best_of_each(list(everyone.values())).items()
        if trial.objective is not None
    }
    return [_find(row, rivals[_group(row.sweep)], best) for row in rows]


Group = tuple[int, str, str, str]


def _group(sweep: Sweep) -> Group:
    return sweep.workspace_id, sweep.experiment_name, sweep.primary_metric, sweep.goal


def _rivals(sweeps: Sequence[Sweep]) -> dict[Group, list[Sweep]]:
    found: dict[Group, list[Sweep]] = defaultdict(list)
    if not sweeps:
        return found
    alike = Q()
    for workspace, experiment, metric, goal in sorted({_group(sweep) for sweep in sweeps}):
        alike |= Q(
            workspace=workspace, experiment_name=experiment, primary_metric=metric, goal=goal
        )
    ended = Sweep.objects.real().filter(alike, status__in=FINAL_SWEEP, ended_at__isnull=False)
    for sweep in ended.select_related("workspace").order_by("-ended_at", "-pk")[:_COMPARED]:
        found[_group(sweep)].append(sweep)
    return found


def _find(row: Row, rivals: Sequence[Sweep], best: dict[int, float]) -> Find:
    own, objective = row.best, objective_of(row.sweep)
    if own is None:
        return Find(row)
    top: Sweep | None = None
    for rival in rivals:
        if rival.pk not in best or _end(rival) >= _end(row.sweep):
            continue
        if top is None or objective.is_better(best[rival.pk], best[top.pk]):
            top = rival
    if top is None:
        return Find(row)
    return Find(row, top, own - best[top.pk], objective.is_better(own, best[top.pk]))


def _end(sweep: Sweep) -> tuple[datetime, int]:
    assert sweep.ended_at is not None
    return sweep.ended_at, sweep.pk
