"""Why a sweep ends: what its state log says of its search space and of an earlier end."""

from django.db.models import F, QuerySet

from sweeps.domain.records import FormerEnd
from sweeps.domain.states import FINAL_SWEEP, SweepStatus
from sweeps.models import StateChange, Sweep


def ran_out(sweep: Sweep) -> str:
    """What was said when the search space had no further point to offer, "" if that never was."""
    return _ran_out(sweep).values_list("reason", flat=True).last() or ""


def former_end(sweep: Sweep) -> FormerEnd | None:
    """How the sweep had ended, if it came back for some of its trials alone; else None."""
    if not sweep.exhausted:
        return None
    came_back = _own(sweep).filter(before__in=FINAL_SWEEP).last()
    # What ran out afterwards had been extended, and goes its own way.
    if came_back is None or _ran_out(sweep).filter(pk__gt=came_back.pk).exists():
        return None
    ends = _own(sweep).filter(after__in=FINAL_SWEEP, pk__lt=came_back.pk)
    end = ends.values_list("after", "reason").last()
    return FormerEnd(SweepStatus(end[0]), end[1]) if end else None


def _own(sweep: Sweep) -> QuerySet[StateChange]:
    return StateChange.objects.filter(sweep=sweep, trial=None).order_by("pk")


def _ran_out(sweep: Sweep) -> QuerySet[StateChange]:
    """Entries of the log where the status stayed: nothing else leaves such ones."""
    return _own(sweep).filter(before=F("after"))
