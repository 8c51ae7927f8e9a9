"""Models that are to be registered, and what became of that."""

import logging
from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q

from studio import audit
from sweeps.domain.job import LoggedModels
from sweeps.domain.problems import InvalidInput
from sweeps.domain.registry import Wanted
from sweeps.domain.wording import cut, shown
from sweeps.models import Attempt, LoggedModel, ModelVersion, Trial
from sweeps.queries.registry import Loggable
from sweeps.services.state import bump, lock

log = logging.getLogger(__name__)


def note_logged(attempt: Attempt, model_id: str, name: str) -> None:
    """Remember a model that a script has logged."""
    kept = attempt.trial.sweep.logged_models == LoggedModels.ALL
    fate = LoggedModel.KEPT if kept else LoggedModel.OPEN
    LoggedModel.objects.get_or_create(
        model_id=model_id[:64],
        defaults={"attempt": attempt, "name": cut(name, 250), "fate": fate},
    )
    news(attempt.trial)


def request_version(
    trial: Trial, model: Loggable, wanted: Wanted, *, actor: str, now: datetime, ticket: str = ""
) -> ModelVersion:
    """Wish for a version of a trial's model; the caller wakes the queue.

    The same `ticket` again gives the same one. Raises InvalidInput for a trial without a run.
    """
    sweep = trial.sweep
    if made := _made_before(trial, ticket):
        return made
    if not trial.run_id:
        raise InvalidInput.conflict("The trial has no run in MLflow, so it has no model there.")
    try:
        with transaction.atomic():
            lock(sweep.pk)
            if model.model_id and LoggedModel.objects.gone().filter(model_id=model.model_id):
                raise InvalidInput.conflict("The model was deleted, as its sweep asks.")
            row = ModelVersion.objects.create(
                workspace=sweep.workspace, trial=trial, name=wanted.name, alias=wanted.alias,
                description=wanted.description, source=model.source, model_id=model.model_id,
                run_id=trial.run_id, sweep_name=sweep.name, number=trial.number,
                metric=sweep.primary_metric, value=trial.objective, uid=uuid4().hex,
                ticket=ticket, requested_by=actor[:150], created_at=now,
            )  # fmt: skip
            given = audit.made(alias=wanted.alias, trial=f"{sweep.name} #{trial.number}")
            audit.note(
                "asked to register", "model", wanted.name, workspace=sweep.workspace_id,
                changes=given,
            )  # fmt: skip
            news(trial)
    except IntegrityError:
        if made := _made_before(trial, ticket):
            return made
        raise
    return row


def _made_before(trial: Trial, ticket: str) -> ModelVersion | None:
    rows = ModelVersion.objects.filter(workspace=trial.sweep.workspace, ticket=ticket)
    return rows.first() if ticket else None


def mark_registered(row: ModelVersion, version: str, now: datetime) -> None:
    """It is there. An alias points to one version: the one that had it has it no more."""
    with transaction.atomic():
        waiting = ModelVersion.objects.filter(pk=row.pk, state=ModelVersion.REQUESTED)
        changes = {"state": ModelVersion.REGISTERED, "version": version, "done_at": now}
        if not waiting.update(**changes):
            return
        _take_alias(row)
        if row.trial:
            news(row.trial)


def _take_alias(row: ModelVersion) -> None:
    """From earlier wishes, and from whatever version has it: scripts move aliases too. Nothing is
    taken where a later wish has taken the row's own meanwhile."""
    alias = ModelVersion.objects.values_list("alias", flat=True).get(pk=row.pk)
    if alias:
        same = ModelVersion.objects.filter(workspace=row.workspace_id, name=row.name, alias=alias)
        before = Q(pk__lt=row.pk) | Q(state=ModelVersion.REGISTERED)
        same.filter(before).exclude(pk=row.pk).update(alias="")


def mark_failed(row: ModelVersion, error: str, now: datetime) -> None:
    """MLflow will not have it."""
    with transaction.atomic():
        waiting = ModelVersion.objects.filter(pk=row.pk, state=ModelVersion.REQUESTED)
        told = cut(error, 2000)
        if waiting.update(state=ModelVersion.FAILED, error=told, done_at=now) and row.trial:
            news(row.trial)
    log.warning("version of %s was refused: %s", shown(row.name), told)


def news(trial: Trial) -> None:
    """The trial's page, and its sweep's, have something new to show."""
    with transaction.atomic():
        Trial.objects.filter(pk=trial.pk).update(revision=bump(trial.sweep_id))
