"""Working out what takes too long for a page."""

from sweeps.models import Sweep
from sweeps.queries.analyses import IMPORTANCE, observations
from sweeps.queries.clock import database_now
from sweeps.services.analyses import keep


def analyse(sweep_id: int) -> None:
    """Parameter importance of a sweep: about a second, whatever its size."""
    sweep = Sweep.objects.filter(pk=sweep_id).first()
    if sweep is None:
        return
    seen = observations(sweep)
    document = None
    if seen is not None:
        # Optuna takes a second to import, and nobody else needs it.
        from sweeps.domain.analyses.ped_anova import importance

        document = importance(seen, seed=sweep.seed % 2**32).document()
    keep(sweep.pk, IMPORTANCE, sweep.revision, document, database_now())
