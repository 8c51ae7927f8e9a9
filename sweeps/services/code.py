"""Remembering what people handed in: code snapshots, data."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio import audit
from studio.models import Workspace
from sweeps.models import CodeSnapshot, DataUpload


def remember_snapshot(
    workspace: Workspace,
    *,
    digest: str,
    origin: str,
    file_count: int,
    size: int,
    git: Mapping[str, Any],
) -> CodeSnapshot:
    """The workspace's row for a snapshot, made if it is new there.

    Equal code may come from another commit: `git` is what is known of this one.
    """
    with transaction.atomic():
        row, is_new = CodeSnapshot.objects.get_or_create(
            workspace=workspace,
            digest=digest,
            defaults={"origin": origin[:1024], "file_count": file_count, "size": size},
        )
        given = audit.made(origin=origin, files=file_count, size=size)
        if is_new:
            audit.note("uploaded", "code", digest[:12], workspace=workspace, changes=given)
    if row.git != git:
        row.git = dict(git)
        row.save(update_fields=["git"])
    return row


def remember_data(
    workspace: Workspace, *, digest: str, name: str, path: str, file_count: int, size: int
) -> tuple[DataUpload, bool]:
    """The workspace's row for uploaded data (`path` below the data folder); True if it is new.

    Where a row has named another path, that is what its sweeps know, and stays.
    """
    with transaction.atomic():
        row, is_new = DataUpload.objects.get_or_create(
            workspace=workspace,
            digest=digest,
            name=name,
            defaults={"path": path, "file_count": file_count, "size": size},
        )
        given = audit.made(digest=digest, files=file_count, size=size)
        if is_new:
            audit.note("uploaded", "data", name or "folder", workspace=workspace, changes=given)
    return row, is_new
