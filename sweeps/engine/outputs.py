"""After a command has ended: what it left in its folders for outputs goes to its MLflow run."""

import logging
import time
from pathlib import Path

from django.conf import settings

from sweeps.engine.forward import ENOUGH_S
from sweeps.engine.holders import acquire, me
from sweeps.models import Attempt
from sweeps.queries.clock import database_now
from sweeps.queries.places import artifacts_of, spool_of
from sweeps.services import leases
from sweeps.services.outputs import record_outputs
from sweeps.stores.outputs import OutputLimits, Source, collect, stranger

log = logging.getLogger(__name__)

# Much longer than ENOUGH_S: a disk may be slow.
_LEASE_S = 60.0


class AnotherKeeps(Exception):
    """Another worker copies the outputs, and goes on until all are kept."""


def keep_outputs(attempt: Attempt) -> bool:
    """Make artifacts of the outputs; False if there are more than a moment is enough for.

    What cannot be kept is told and keeps no run open. Raises AnotherKeeps.
    """
    spool, target = spool_of(attempt), artifacts_of(attempt)
    if target is None or attempt.outputs:
        return True
    if stranger(spool / "outputs") is None:
        return _keep(attempt, spool, target)
    # Copies take their time: two that write the same would each break what the other made.
    name, owner = f"outputs:{attempt.pk}", me()
    if not acquire(name, owner, database_now(), _LEASE_S):
        raise AnotherKeeps
    try:
        return _keep(attempt, spool, target)
    finally:
        leases.release(name, owner)


def _keep(attempt: Attempt, spool: Path, target: Path) -> bool:
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
