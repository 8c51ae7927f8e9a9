"""The one thing that helps a sweep which waits, is paused or has failed."""

from typing import NamedTuple

from django.urls import reverse

from sweeps.domain.states import PausedBy, SweepStatus, TrialStatus
from sweeps.models import EnvironmentBuild
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.lists import Row


class Remedy(NamedTuple):
    """A link that says what one finds there."""

    label: str
    url: str


def remedy(row: Row) -> Remedy | None:
    """Where to look; None where the reason says it all."""
    sweep = row.sweep
    place = [sweep.workspace.name, sweep.name]
    build = sweep.environment_build
    if build and not sweep.run_id and build.state != EnvironmentBuild.DONE:
        return Remedy("Log of its build", reverse("sweep_build_log", args=place))
    if sweep.status == SweepStatus.QUEUED or sweep.paused_by == PausedBy.DISK:
        return Remedy("Computes", reverse("compute_list", args=place[:1]))
    failed = sum(row.counts.get(status, 0) for status in PROBLEMS)
    troubled = sweep.status == SweepStatus.FAILED or sweep.paused_by == PausedBy.BREAKER
    ended = row.progress.done - row.counts.get(TrialStatus.CANCELED, 0)
    if failed and (troubled or failed == ended):
        label = "See the failure" if failed == 1 else f"See the {failed} failures"
        status = next(status for status in PROBLEMS if row.counts.get(status))
        only = all(not row.counts.get(other) for other in PROBLEMS if other != status)
        query = f"?status={status.value}" if only else ""
        return Remedy(label, reverse("sweep_trials", args=place) + query)
    if sweep.status == SweepStatus.FAILED:
        return Remedy("See its page", reverse("sweep", args=place))
    return None
