"""From an MLflow run to what it belongs to."""

from studio.models import Workspace
from sweeps.models import Attempt, Sweep


def of_run(workspace: Workspace, run_id: str) -> tuple[str, int | None] | None:
    """The sweep's name and the trial's number (None for the parent run); None for other runs."""
    sweeps = Sweep.objects.kept().filter(workspace=workspace)
    attempts = Attempt.objects.filter(run_id=run_id, trial__sweep__in=sweeps)
    if found := attempts.values_list("trial__sweep__name", "trial__number").first():
        return found
    name = sweeps.filter(run_id=run_id).values_list("name", flat=True).first()
    return (name, None) if name else None
