"""What a workspace may have: so many sweeps (STUDIO_MAX_SWEEPS) and so much of the disk
(STUDIO_WORKSPACE_QUOTA_GB), of which the engine measures once in a while what is used."""

from datetime import datetime

from django.conf import settings
from django.db.models import F, Max

from studio.models import Workspace
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep
from sweeps.queries.conditions import DISK, holds

GB = 10**9


def require_room(workspace: Workspace) -> None:
    """Raises InvalidInput, code "conflict", with what to do, if no further sweep may be made."""
    require_in_use(workspace.pk)
    if problem := disk_problem(workspace.name):
        raise InvalidInput.conflict(problem)
    most = settings.STUDIO_MAX_SWEEPS
    if most and Sweep.objects.filter(workspace=workspace).real().count() >= most:
        raise InvalidInput.conflict(
            f"The workspace has {most:,} sweeps, as many as it may have. Delete some that have "
            "ended, or ask whoever runs the studio for more (STUDIO_MAX_SWEEPS)."
        )


def require_disk(workspace: Workspace) -> None:
    """For an upload. Raises InvalidInput, code "conflict", with what to do, if the workspace's
    disk is full, or the whole studio's nearly is, or if it is archived."""
    require_in_use(workspace.pk)
    if holds(DISK):
        raise InvalidInput.conflict(
            "The studio's disk is nearly full: nothing can be uploaded until there is room again."
        )
    if problem := disk_problem(workspace.name):
        raise InvalidInput.conflict(problem)


def require_in_use(workspace_id: int) -> None:
    """For whatever would have something run that does not run yet. Raises InvalidInput, code
    "conflict", if the workspace is archived."""
    if Workspace.objects.filter(pk=workspace_id, archived_at__isnull=False).exists():
        raise InvalidInput.conflict(
            "The workspace is archived: what runs goes on, and nothing new begins. An owner can "
            "restore it in its settings."
        )


def disk_problem(workspace: str) -> str:
    """What to do if the workspace of this name may store nothing more, "" if it may."""
    quota = settings.STUDIO_WORKSPACE_QUOTA_GB
    if not quota:
        return ""
    used = Workspace.objects.filter(name=workspace).values_list("disk_used", flat=True).first()
    if used is None or used < quota * GB:
        return ""
    return (
        f"The workspace uses {used / GB:,.1f} GB of the {quota:,} GB that it may. Delete sweeps "
        "that have ended (their runs in MLflow too, where models and artifacts are), or ask "
        "whoever runs the studio for more (STUDIO_WORKSPACE_QUOTA_GB)."
    )


def note_stored(workspace: str, size: int) -> None:
    """So many bytes came since it was measured."""
    if settings.STUDIO_WORKSPACE_QUOTA_GB and size > 0:
        rows = Workspace.objects.filter(name=workspace, disk_used__isnull=False)
        rows.update(disk_used=F("disk_used") + size)


def note_measured(workspace_id: int, size: int, now: datetime) -> None:
    """The workspace was found to use so many bytes."""
    Workspace.objects.filter(pk=workspace_id).update(disk_used=size, disk_measured_at=now)


def heaviest_of(workspace: str = "") -> int:
    """Characters of JSON that one run or model of the workspace may have, or of any workspace."""
    rows = Workspace.objects.filter(name=workspace) if workspace else Workspace.objects.all()
    return rows.aggregate(heaviest=Max("heaviest"))["heaviest"] or 0


def note_heaviest(workspace: str, size: int) -> None:
    """One of its runs or models may have so many characters; the most that was told is kept."""
    Workspace.objects.filter(name=workspace, heaviest__lt=size).update(heaviest=size)
