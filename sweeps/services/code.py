"""Remembering what people handed in: code snapshots, data."""

from studio.models import Workspace
from sweeps.models import CodeSnapshot, DataUpload


def remember_snapshot(
    workspace: Workspace, *, digest: str, origin: str, file_count: int, size: int
) -> CodeSnapshot:
    """The workspace's row for a snapshot, made if it is new there."""
    row, _ = CodeSnapshot.objects.get_or_create(
        workspace=workspace,
        digest=digest,
        defaults={"origin": origin[:1024], "file_count": file_count, "size": size},
    )
    return row


def remember_data(
    workspace: Workspace, *, digest: str, name: str, path: str, file_count: int, size: int
) -> tuple[DataUpload, bool]:
    """The workspace's row for uploaded data (`path` below the data folder); True if it is new."""
    return DataUpload.objects.get_or_create(
        workspace=workspace,
        digest=digest,
        name=name,
        defaults={"path": path, "file_count": file_count, "size": size},
    )
