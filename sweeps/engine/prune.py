"""Deleting logged models that their sweep does not keep. This cannot be undone."""

import logging

from sweeps.engine.tracking import tracking
from sweeps.services import pruning
from sweeps.tracking import logged_models
from sweeps.tracking.client import TrackingRejected

log = logging.getLogger(__name__)


def prune_model(model_id: int) -> None:
    """Delete the model with this primary key, if that is still wanted; may be called twice and
    after any death.

    Raises TrackingUnavailable.
    """
    row = pruning.let_go(model_id)
    if row is None:
        return
    client, attempt = tracking(), row.attempt
    try:
        if logged_models.is_registered(client, row.model_id, attempt.run_id):
            pruning.hold(row)
            return
        logged_models.delete(client, row.model_id, attempt.trial.sweep.experiment_id)
    except (TrackingRejected, ValueError) as refusal:
        log.warning("model %s of %s stays: %s", row.model_id, attempt.trial, refusal)
        pruning.hold(row)
        return
    pruning.mark_gone(row)
    log.info("deleted model %s of %s: its sweep does not keep it", row.model_id, attempt.trial)
