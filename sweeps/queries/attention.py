"""What goes wrong in some workspaces and needs a person, the most urgent first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q

from studio.models import Compute, Workspace
from sweeps.domain.states import WINNING_TRIAL, PausedBy, SweepStatus, TrialStatus
from sweeps.models import Condition, Trial
from sweeps.models.sweep import SweepQuerySet
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.lists import Row, rows, sweeps_of
from sweeps.queries.records import commonest_reasons

# Who has not looked at a failed sweep for so long, will not.
RECENT = timedelta(days=2)
MOST = 6
DISK = "disk"
# One failure may be chance.
_FAILING_FROM = 2


class Kind(StrEnum):
    """What goes wrong."""

    DISK = "disk"
    PAUSED = "paused"
    FAILING = "failing"
    FAILED = "failed"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing: `row` is its sweep, `compute` its compute, if it is about one."""

    kind: Kind
    text: str
    since: datetime | None
    row: Row | None = None
    compute: Compute | None = None


def concerns(workspaces: Sequence[Workspace], now: datetime) -> list[Concern]:
    """At most MOST of each kind; as many queries for many sweeps as for one."""
    return [*_disk(), *_sweeps(workspaces, now), *_computes(workspaces)]


def _disk() -> list[Concern]:
    rows = Condition.objects.filter(name=DISK)
    return [Concern(Kind.DISK, row.text, row.since) for row in rows]


def _computes(workspaces: Sequence[Workspace]) -> list[Concern]:
    found = Compute.objects.filter(workspace__in=workspaces, last_test__ok=False)
    return [
        Concern(Kind.COMPUTE, _failed_step(row), _moment(row), compute=row)
        for row in found.select_related("workspace")[:MOST]
    ]


def _failed_step(compute: Compute) -> str:
    steps = (compute.last_test or {}).get("steps", [])
    bad = next((step for step in steps if not step.get("ok")), None)
    return f"{bad['name']}: {bad['detail']}" if bad else "Its last test failed."


def _moment(compute: Compute) -> datetime | None:
    try:
        return datetime.fromisoformat((compute.last_test or {}).get("at", ""))
    except ValueError:
        return None


def _sweeps(workspaces: Sequence[Workspace], now: datetime) -> list[Concern]:
    all_of_them = sweeps_of(workspaces).with_build_states()
    all_of_them = all_of_them.select_related("workspace", "compute", "created_by")
    paused = all_of_them.live().filter(paused_by=PausedBy.BREAKER)
    failed = all_of_them.filter(status=SweepStatus.FAILED, ended_at__gt=now - RECENT)
    found = {
        Kind.PAUSED: list(paused.order_by("-pk")[:MOST]),
        Kind.FAILING: list(_failing(all_of_them).order_by("-pk")[:MOST]),
        Kind.FAILED: list(failed.order_by("-ended_at")[:MOST]),
    }
    sweeps = [sweep for some in found.values() for sweep in some]
    shown = {row.sweep.pk: row for row in rows(sweeps, now)}
    reasons = commonest_reasons([sweep.pk for sweep in found[Kind.FAILING]])
    return [
        Concern(kind, _text(kind, shown[sweep.pk], reasons), sweep.ended_at, shown[sweep.pk])
        for kind, some in found.items()
        for sweep in some
        if kind is not Kind.FAILING or _failed(shown[sweep.pk]) >= _FAILING_FROM
    ]


def _failing(sweeps: SweepQuerySet) -> SweepQuerySet:
    """Live ones that nobody paused and of whose trials none went well so far."""
    own = Trial.objects.filter(sweep=OuterRef("pk"))
    well = own.filter(Q(status__in=WINNING_TRIAL) | Q(status=TrialStatus.QUEUED, attempt__gt=0))
    ill = own.filter(status__in=PROBLEMS)
    return sweeps.live().filter(~Exists(well), Exists(ill), status=SweepStatus.RUNNING)


def _text(kind: Kind, row: Row, reasons: dict[int, str]) -> str:
    if kind is not Kind.FAILING:
        return row.reason
    reason = reasons.get(row.sweep.pk, "")
    return f"All {_failed(row)} trials that have ended failed. {reason}".strip()


def _failed(row: Row) -> int:
    return sum(row.counts.get(status, 0) for status in PROBLEMS)
