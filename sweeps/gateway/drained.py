"""What trials have logged and MLflow has not yet: brought to it before it is asked."""

from collections.abc import Iterable

from sweeps.engine import forward
from sweeps.engine.tracking import TrackingUnavailable
from sweeps.queries.tracking import waiting_runs

_DRAIN_S = 10.0


def drain(run_ids: Iterable[str], experiment_ids: Iterable[str] = ()) -> None:
    """Bring to MLflow what it lacks of these runs, and of those of these experiments.

    Raises TrackingUnavailable when MLflow does not take it in time.
    """
    for run_id in waiting_runs(tuple(run_ids), tuple(experiment_ids)):
        if not forward.drain(run_id, _DRAIN_S):
            raise TrackingUnavailable(f"run {run_id} still has values under way")
