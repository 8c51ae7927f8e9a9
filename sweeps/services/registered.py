"""What programs do to the models of a workspace with MLflow's own client, as it has been done
there: the pages tell of it without asking MLflow."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from studio import audit
from studio.models import Workspace
from sweeps.domain.states import FINAL_TRIAL
from sweeps.domain.wording import cut
from sweeps.models import ModelVersion, Trial
from sweeps.services.registry import news

# As long as MLflow takes them, but for descriptions.
_MAX_NAME, _MAX_SOURCE, _MAX_DESCRIPTION = 256, 1024, 5_000


@dataclass(frozen=True, slots=True)
class Made:
    """A version that MLflow has made; `name` is without the workspace's prefix."""

    name: str
    version: str
    source: str = ""
    run_id: str = ""
    model_id: str = ""
    description: str = ""


def note_version(
    workspace: Workspace, trial: Trial | None, made: Made, *, actor: str, now: datetime
) -> ModelVersion:
    """Remember a version; `trial` is the one whose run it is of, None for other runs."""
    sweep = trial.sweep if trial else None
    with transaction.atomic():
        row = ModelVersion.objects.create(
            workspace=workspace, trial=trial, name=made.name[:_MAX_NAME],
            description=cut(made.description, _MAX_DESCRIPTION), source=made.source[:_MAX_SOURCE],
            model_id=made.model_id[:64], run_id=made.run_id[:64],
            sweep_name=sweep.name if sweep else "", number=trial.number if trial else None,
            metric=sweep.primary_metric if sweep else "", value=_came_to(trial),
            uid=uuid4().hex, state=ModelVersion.REGISTERED, version=made.version[:32],
            requested_by=actor[:150], created_at=now, done_at=now,
        )  # fmt: skip
        given = audit.made(version=row.version, run=row.run_id)
        audit.note("registered", "model", made.name, workspace=workspace, changes=given)
        if trial:
            news(trial)
    return row


def _came_to(trial: Trial | None) -> float | None:
    """What the trial has come to; None while it runs, when the page asks the trial itself."""
    return trial.objective if trial and trial.status in FINAL_TRIAL else None


def note_alias(workspace: Workspace, name: str, alias: str, version: str) -> None:
    """The alias points to this version, and to no other any more; "" for the version: to none."""
    alias = alias[:_MAX_NAME]
    with transaction.atomic():
        _there(workspace, name).filter(alias=alias).update(alias="")
        if version:
            _there(workspace, name).filter(version=version).update(alias=alias)
        _note("changed", workspace, name, {f"alias {alias}": (None, version or "none")})


def note_description(workspace: Workspace, name: str, version: str, text: str) -> None:
    """A version is described anew."""
    with transaction.atomic():
        rows = _there(workspace, name).filter(version=version)
        rows.update(description=cut(text, _MAX_DESCRIPTION))
        _note("changed", workspace, name, {"description": (None, text)})


def note_renamed(workspace: Workspace, name: str, new_name: str) -> None:
    """A model has another name."""
    with transaction.atomic():
        _there(workspace, name).update(name=new_name[:_MAX_NAME])
        _note("renamed", workspace, name, {"name": (name, new_name)})


def note_deleted(workspace: Workspace, name: str, version: str | None = None) -> None:
    """A version is no more; None for all that the model had."""
    with transaction.atomic():
        rows = _there(workspace, name)
        (rows if version is None else rows.filter(version=version)).delete()
        _note("deleted", workspace, name, {"version": (version or "all", None)})


def _note(verb: str, workspace: Workspace, name: str, changes: audit.Changes) -> None:
    audit.note(verb, "model", name, workspace=workspace, changes=changes)


def _there(workspace: Workspace, name: str) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.filter(workspace=workspace, name=name[:_MAX_NAME])
    return rows.filter(state=ModelVersion.REGISTERED)
