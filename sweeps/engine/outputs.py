"""After a command has ended: what it left in its folders for outputs goes to its MLflow run."""

import logging
import time

from django.conf import settings

from sweeps.engine.forward import ENOUGH_S
from sweeps.models import Attempt
from sweeps.queries.places import artifacts_of, spool_of
from sweeps.services.outputs import record_outputs
from sweeps.stores.outputs import OutputLimits, Source, collect

log = logging.getLogger(__name__)


def keep_outputs(attempt: Attempt) -> bool:
    """Make artifacts of the outputs; False if there are more than a moment is enough for.

    What cannot be kept is told and keeps no run open.
    """
    spool, target = spool_of(attempt), artifacts_of(attempt)
    if target is None or attempt.outputs:
        return True
    code = attempt.trial.sweep.code
    kept = settings.STUDIO_HOME / "code" / code.digest / "outputs" if code else None
    sources = [Source(spool / "outputs"), Source(spool / "work" / "outputs", kept)]
    limits = OutputLimits(settings.STUDIO_OUTPUT_MAX_FILES, settings.STUDIO_OUTPUT_CAP_MB * 2**20)
    try:
        found = collect(sources, target / "outputs", limits, time.monotonic() + ENOUGH_S)
    except OSError as error:
        log.warning("outputs of %s could not be kept: %s", attempt, error)
        text = f"Outputs could not be made artifacts: {error.strerror}. They are in its folder."
        record_outputs(attempt, 0, 0, text)
        return True
    if found is None:
        return False
    note = found.note(limits)
    if found.files or note:
        record_outputs(attempt, found.files, found.size, note)
    return True
