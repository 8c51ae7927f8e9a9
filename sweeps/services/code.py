"""Remembering code snapshots."""

from studio.models import Workspace
from sweeps.models import CodeSnapshot


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
