"""From an MLflow run to what it belongs to."""

from studio.models import Workspace
from sweeps.models import Attempt, Sweep, Trial


def of_run(workspace: Workspace, run_id: str) -> tuple[str, int | None] | None:
    """The sweep's name and the trial's number (None for the parent run); None for other runs."""
    sweeps = Sweep.objects.kept().filter(workspace=workspace)
    attempts = Attempt.objects.filter(run_id=run_id, trial__sweep__in=sweeps)
    if found := attempts.values_list("trial__sweep__name", "trial__number").first():
        return found
    name = sweeps.filter(run_id=run_id).values_list("name", flat=True).first()
    return (name, None) if name else None


def trial_of_run(workspace: Workspace, run_id: str) -> Trial | None:
    """The trial one of whose attempts has this run; None for runs of nobody's trial."""
    sweeps = Sweep.objects.kept().filter(workspace=workspace)
    rows = Trial.objects.filter(attempts__run_id=run_id, sweep__in=sweeps)
    return rows.select_related("sweep").first()
