"""What people do to sweeps and trials, as entries of the audit log. Call in the transaction."""

from studio import audit
from sweeps.models import Sweep, Trial


def noted_sweep(verb: str, sweep: Sweep, moved: bool, before: str = "") -> bool:
    """`moved`; where it is true, with an entry that says which status the sweep had `before`."""
    if moved:
        changes = {"status": (before or sweep.status, str(sweep.status))}
        audit.note(verb, "sweep", sweep.name, workspace=sweep.workspace_id, changes=changes)
    return moved


def noted_trial(verb: str, trial: Trial, moved: bool, changes: audit.Changes | None = None) -> bool:
    """`moved`; where it is true, with an entry."""
    if moved and audit.is_wanted():
        sweep = trial.sweep
        name = f"{sweep.name} #{trial.number}"
        audit.note(verb, "trial", name, workspace=sweep.workspace_id, changes=changes)
    return moved


def noted_trials(verb: str, sweep: Sweep, count: int, changes: audit.Changes | None = None) -> None:
    """One entry for what was done to many trials at once."""
    if count:
        told = {"trials": (None, count), **(changes or {})}
        audit.note(verb, "trial", sweep.name, workspace=sweep.workspace_id, changes=told)
