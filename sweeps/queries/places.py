"""Where an attempt's files lie.

Rows hold absolute paths, as they were when the attempt began. A home may have been moved or copied
since, database and all; what an old path leads to then is another studio's, with its own running
commands. So a path from a row is always taken to lie in the home of this studio.
"""

from pathlib import Path

from django.conf import settings

from sweeps.models import Attempt, Trial

# Of attempts that ran in another studio: no such folder is here, and they held no slot of ours.
IMPORTED = "/imported/"


def spool_of(attempt: Attempt) -> Path:
    """The attempt's folder under the present home."""
    return Path(_place(attempt.spool))


def _place(spool: str) -> str:
    *_, sweep, name = spool.rstrip("/").split("/")
    return f"{settings.STUDIO_HOME}/trials/{sweep}/{name}"


def artifacts_of(attempt: Attempt) -> Path | None:
    """Where the tracking server keeps the artifacts of the attempt's run; None without a run.

    The gateway (gateway/routes.py) sees to it that no experiment keeps them elsewhere.
    """
    return artifacts_at(attempt.trial.sweep.experiment_id, attempt.run_id)


def artifacts_at(experiment: str, run: str) -> Path | None:
    """Where the tracking server keeps the artifacts of a run; None without one."""
    if not experiment.isalnum() or not run.isalnum():
        return None
    return Path(settings.TRACKING_ARTIFACTS) / experiment / run / "artifacts"


def newest_artifacts(trial: Trial) -> Path | None:
    """The artifacts of a trial's newest attempt; None where there cannot be any."""
    attempt = trial.attempts.select_related("trial__sweep").order_by("-number").first()
    return artifacts_of(attempt) if attempt else None


def handle_of(attempt: Attempt) -> str:
    """The runner's handle; "" before the start. A handle that is a path moves with the spool."""
    return _place(attempt.spool) if attempt.handle == attempt.spool else attempt.handle
