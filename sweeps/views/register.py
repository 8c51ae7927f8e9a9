"""Registering a trial's model, and the models of a workspace."""

import hashlib
import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_safe

from studio.access import workspace_for
from studio.models import Role
from sweeps import tasks
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.registry import Wanted, load_uri
from sweeps.models import ModelVersion, Trial
from sweeps.queries.clock import database_now
from sweeps.queries.places import artifacts_at
from sweeps.queries.registry import Loggable, loggable, versions_in
from sweeps.services.registry import request_version
from sweeps.stores.artifacts import model_folders
from sweeps.views.artifacts import load_snippet
from sweeps.views.job import sweep_for

_PAGE = 50
_FIELDS = ("name", "alias", "description", "model")


def models_of(trial: Trial) -> list[Loggable]:
    """What of a trial can be registered."""
    root = artifacts_at(trial.sweep.experiment_id, trial.run_id)
    return loggable(trial, model_folders(root) if root else [])


def shown_versions(request: HttpRequest, rows: list[ModelVersion]) -> list[dict[str, Any]]:
    """Versions with how each is loaded."""
    return [{"version": row, "snippet": _snippet(request, row)} for row in rows]


def _snippet(request: HttpRequest, row: ModelVersion) -> str:
    if row.state != ModelVersion.REGISTERED:
        return ""
    uri = load_uri(row.workspace.name, row.name, row.alias, row.version)
    return load_snippet(request, row.workspace.name, "pyfunc", uri)


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """The form that asks for a version of one of the trial's models."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    trial = Trial.objects.filter(sweep=sweep, number=number).first()
    if trial is None:
        raise Http404
    trial.sweep = sweep
    models = models_of(trial)
    typed = {field: request.POST.get(field, "").strip() for field in _FIELDS}
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            row = _requested(request, trial, models, typed)
        except InvalidInput as error:
            problems = error.problems
        else:
            tasks.register_model(row.pk)
            told = '{} is being registered. <a href="#models">See how it goes under Models</a>'
            messages.success(request, format_html(told, row.name))
            return redirect("trial", ws=ws, name=name, number=number)
    context = {
        "sweep": sweep,
        "workspace": sweep.workspace,
        "trial": trial,
        "models": models,
        "typed": typed,
        "errors": {problem.field: problem.message for problem in problems},
        "ticket": request.POST.get("ticket") or secrets.token_urlsafe(16),
    }
    return render(request, "sweeps/trial/register.html", context, status=422 if problems else 200)


def _requested(
    request: HttpRequest, trial: Trial, models: list[Loggable], typed: dict[str, str]
) -> ModelVersion:
    wanted = Wanted(typed["name"], typed["alias"], typed["description"])
    ticket = request.POST.get("ticket", "")
    # With what is wanted: whoever goes back and names another model means another version.
    key = hashlib.sha256(f"{ticket} {typed!r}".encode()).hexdigest() if ticket else ""
    model = chosen(models, typed["model"])
    actor, now = str(request.user), database_now()
    return request_version(trial, model, wanted, actor=actor, now=now, ticket=key)


def chosen(models: list[Loggable], key: str) -> Loggable:
    """The model that a form or a program names; the only one where it names none.

    Raises InvalidInput.
    """
    if not models:
        raise InvalidInput.one("model", "The trial has left no MLflow model.")
    if not key and len(models) == 1:
        return models[0]
    found = next((model for model in models if model.key == key), None)
    if found is None:
        known = ", ".join(model.key for model in models[:10])
        raise InvalidInput.one("model", f"Choose one of the trial’s models: {known}.")
    return found


@require_safe
def model_list(request: HttpRequest, ws: str) -> HttpResponse:
    """The versions that were registered here, and by programs with MLflow's client."""
    workspace = workspace_for(request, ws)
    page = Paginator(versions_in(workspace), _PAGE).get_page(request.GET.get("page"))
    context = {
        "workspace": workspace,
        "page": page,
        "rows": shown_versions(request, list(page.object_list)),
    }
    return render(request, "models/list.html", context)
