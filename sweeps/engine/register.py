"""Bringing a model that somebody wants registered into MLflow's registry."""

from sweeps.domain.param_names import format_value
from sweeps.domain.registry import full_name, version_tags
from sweeps.engine.tracking import tracking
from sweeps.models import ModelVersion
from sweeps.queries.clock import database_now
from sweeps.services import registry as services
from sweeps.tracking.client import TrackingRejected
from sweeps.tracking.registry import NewVersion, register


def register_version(version_id: int) -> None:
    """Make the version, unless that was done; may be called twice and after any death.

    Raises TrackingUnavailable.
    """
    rows = ModelVersion.objects.select_related("workspace", "trial")
    row = rows.filter(pk=version_id, state=ModelVersion.REQUESTED).first()
    if row is None:
        return
    try:
        version = register(tracking(), _new(row), row.alias)
    except TrackingRejected as refusal:
        services.mark_failed(row, refusal.message, database_now())
        return
    services.mark_registered(row, version, database_now())


def _new(row: ModelVersion) -> NewVersion:
    flat = row.trial.flat_params if row.trial else {}
    params = {name: format_value(value) for name, value in flat.items()}
    assert row.number is not None, "what is asked for is of a trial"
    tags = version_tags(row.uid, row.sweep_name, row.number, row.metric, row.value, params)
    return NewVersion(
        name=full_name(row.workspace.name, row.name),
        source=row.source,
        run_id=row.run_id,
        model_id=row.model_id,
        description=row.description,
        tags=tags,
        mark="studio.registration",
    )
