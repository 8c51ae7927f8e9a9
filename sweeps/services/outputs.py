"""Writing down what became of a trial's outputs."""

from django.db import transaction

from sweeps.models import Attempt, Trial
from sweeps.services import rows
from sweeps.services.state import bump


def record_outputs(attempt: Attempt, files: int, size: int, note: str) -> None:
    """How many files and bytes of outputs are artifacts now, and what was left out."""
    with transaction.atomic():
        found = {"files": files, "size": size, "note": note}
        rows.update(Attempt, {"pk": attempt.pk}, outputs=found)
        # The trial's page shows them: it has news.
        rows.update(Trial, {"pk": attempt.trial_id}, revision=bump(attempt.trial.sweep_id))
