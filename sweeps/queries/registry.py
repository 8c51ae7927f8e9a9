"""Models of a trial that can be registered, and versions that were asked for."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from studio.models import Workspace
from sweeps.models import LoggedModel, ModelVersion, Sweep, Trial
from sweeps.queries.prepared import Prepared

# What one look hands to the queue.
_MOST = 20
_LONGEST_SOURCE = 500


@dataclass(frozen=True, slots=True)
class Loggable:
    """A model of a trial: what it is called, where MLflow has it, what names it in a form."""

    key: str
    name: str
    source: str
    model_id: str = ""


def logged_models(trial: Trial) -> list[LoggedModel]:
    """What the script of its newest attempt has logged as models."""
    rows = LoggedModel.objects.there().filter(attempt__trial=trial, attempt__number=trial.attempt)
    return list(rows.order_by("pk")[:50])


def model_root(trial: Trial, model_id: str) -> Path | None:
    """Where the files of a trial's logged model lie; None if it has no such model."""
    rows = LoggedModel.objects.there().filter(attempt__trial=trial, model_id=model_id)
    experiment = trial.sweep.experiment_id
    if not experiment.isalnum() or not rows.exists():
        return None
    root = Path(settings.TRACKING_ARTIFACTS) / experiment / "models" / model_id / "artifacts"
    return root if model_id.replace("-", "").isalnum() else None


def loggable(trial: Trial, folders: list[str]) -> list[Loggable]:
    """What can be registered: logged models, and `folders` of its artifacts that hold one."""
    logged = [
        Loggable(one.model_id, str(one), f"models:/{one.model_id}", one.model_id)
        for one in logged_models(trial)
    ]
    found = [Loggable(path, path, f"runs:/{trial.run_id}/{path}") for path in folders if path]
    # MLflow takes no longer ones.
    return [*logged, *(one for one in found if len(one.source) <= _LONGEST_SOURCE)]


def versions_of_trial(trial: Trial) -> list[ModelVersion]:
    """What was asked for of a trial, newest first."""
    return list(ModelVersion.objects.filter(trial=trial).select_related("workspace", "trial")[:50])


def versions_of_sweep(sweep: Sweep) -> list[ModelVersion]:
    """What was asked for of a sweep's trials, newest first."""
    return _of_sweep(sweep.pk)


@Prepared
def _of_sweep(sweep_id: int) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.filter(trial__sweep=sweep_id)
    return rows.select_related("workspace", "trial")[:20]


def versions_in(workspace: Workspace) -> QuerySet[ModelVersion]:
    """Every version of a workspace, newest first."""
    rows = ModelVersion.objects.filter(workspace=workspace)
    return rows.select_related("workspace", "trial__sweep")


def waiting_versions() -> list[int]:
    """Versions that MLflow does not have yet."""
    return _waiting()


@Prepared
def _waiting() -> QuerySet[ModelVersion, int]:
    rows = ModelVersion.objects.filter(state="requested").order_by("pk")
    return rows.values_list("pk", flat=True)[:_MOST]
