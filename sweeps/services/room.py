"""What a workspace may have: so many sweeps (STUDIO_MAX_SWEEPS)."""

from django.conf import settings

from studio.models import Workspace
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep


def require_room(workspace: Workspace) -> None:
    """Raises InvalidInput, code "conflict", with what to do, if no further sweep may be made."""
    most = settings.STUDIO_MAX_SWEEPS
    if most and Sweep.objects.filter(workspace=workspace).real().count() >= most:
        raise InvalidInput.conflict(
            f"The workspace has {most:,} sweeps, as many as it may have. Delete some that have "
            "ended, or ask whoever runs the studio for more (STUDIO_MAX_SWEEPS)."
        )
