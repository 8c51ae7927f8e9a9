"""Working out what takes too long for a page."""

import time

from sweeps.models import Sweep
from sweeps.queries.analyses import IMPORTANCE, latest, observations
from sweeps.queries.clock import database_now
from sweeps.services.analyses import keep

# After so long there are no further resamples.
ENOUGH_S = 2.0


def analyse(sweep_id: int) -> None:
    """Parameter importance of a sweep: a second or two, whatever its size."""
    end = time.monotonic() + ENOUGH_S
    sweep = Sweep.objects.filter(pk=sweep_id).first()
    if sweep is None:
        return
    known = latest(sweep, IMPORTANCE)
    if known and known.at and known.revision >= sweep.revision:
        return  # It was asked for once more while it was worked out.
    seen = observations(sweep)
    document = None
    if seen is not None:
        # Optuna takes a second to import, and nobody else needs it.
        from sweeps.domain.analyses.ped_anova import importance

        found = importance(seen, seed=sweep.seed % 2**32, is_late=lambda: time.monotonic() > end)
        document = found.document()
    keep(sweep.pk, IMPORTANCE, sweep.revision, document, database_now())
