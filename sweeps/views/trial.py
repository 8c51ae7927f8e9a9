"""The page of one trial."""

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from studio.access import may_in
from studio.models import Role
from studio.store import mlflow_ui_command
from sweeps import tasks
from sweeps.charts.placement import place_params
from sweeps.domain.command import shell_line
from sweeps.domain.problems import InvalidInput
from sweeps.domain.replay import replay_script
from sweeps.domain.states import TrialStatus
from sweeps.domain.verdict import Ending
from sweeps.models import MetricSummary, ModelVersion, Sweep, Trial
from sweeps.queries.best import best_of
from sweeps.queries.boards import MOST_NAMES
from sweeps.queries.clock import database_now
from sweeps.queries.decisions import decisions_of
from sweeps.queries.places import artifacts_of, spool_of
from sweeps.queries.pruning import has_pruned
from sweeps.queries.records import space_of
from sweeps.queries.registry import logged_models, versions_of_trial
from sweeps.queries.replay import replayed
from sweeps.queries.waiting import why_trial
from sweeps.services import trials as services
from sweeps.views import log_pieces
from sweeps.views.figures import trial_payload
from sweeps.views.files import first_artifacts
from sweeps.views.job import sweep_for
from sweeps.views.live import around, is_known, news
from sweeps.views.register import models_of, shown_versions
from sweeps.views.standing import standing_of_trial

STREAMS = ("stdout", "stderr")
# How an attempt ended, in words.
ENDINGS = {
    Ending.EXIT: "exit code",
    Ending.SIGNAL: "signal",
    Ending.STOPPED: "stopped by the studio",
    Ending.TIME_LIMIT: "its time limit",
    Ending.LOST: "lost by the machine",
    Ending.NOT_STARTED: "could not start",
    "put_back": "put back in the queue",
}


def trial_or_404(sweep: Sweep, number: int) -> Trial:
    """The trial, which knows its sweep; else Http404."""
    trial = Trial.objects.filter(sweep=sweep, number=number).first()
    if trial is None:
        raise Http404
    trial.sweep = sweep
    return trial


def _context(request: HttpRequest, sweep: Sweep, trial: Trial) -> dict[str, Any]:
    now = database_now()
    attempt = trial.attempts.order_by("-number").first()
    best = best_of(sweep)
    waiting = why_trial(trial, now)
    return {
        "standing": standing_of_trial(trial),
        "waiting": waiting,
        "around": around(now, waiting),
        "sweep": sweep,
        "workspace": sweep.workspace,
        "trial": trial,
        "attempt": attempt,
        "attempts": trial.attempts.order_by("number"),
        "endings": ENDINGS,
        "artifacts": first_artifacts(artifacts_of(attempt) if attempt else None),
        "is_best": best is not None and best.trial.pk == trial.pk,
        "best": best,
        "decisions": decisions_of(trial),
        "places": place_params(space_of(sweep), trial.params),
        **_metrics(sweep, trial),
        "minimize": sweep.goal == "minimize",
        "command": shell_line(attempt.argv) if attempt and attempt.argv else "",
        "is_final": TrialStatus(trial.status).is_final,
        **_models(request, trial),
        "may_run": may_in(request, sweep.workspace, Role.CONTRIBUTOR),
        "duration_s": _duration(trial),
    }


def _metrics(sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """What it logged, the primary metric in any case; a program may log any number of names."""
    rows = MetricSummary.objects.filter(trial=trial)
    found = list(rows.order_by("name")[: MOST_NAMES + 1])
    more = len(found) > MOST_NAMES
    shown = found[:MOST_NAMES]
    if more and all(row.name != sweep.primary_metric for row in shown):
        shown = [*rows.filter(name=sweep.primary_metric), *shown]
    return {"metrics": shown, "more_metrics": MOST_NAMES if more else 0}


def _models(request: HttpRequest, trial: Trial) -> dict[str, Any]:
    """Its models, and what was asked for of them; something new may come while one waits."""
    rows = versions_of_trial(trial)
    pending = any(row.state == ModelVersion.REQUESTED for row in rows)
    return {
        "models": models_of(trial),
        "logged_models": logged_models(trial),
        "models_are_gone": has_pruned(trial),
        "versions": shown_versions(request, rows),
        "is_settled": TrialStatus(trial.status).is_final and not pending,
    }


def _duration(trial: Trial) -> float | None:
    if trial.started_at is None:
        return None
    return ((trial.ended_at or database_now()) - trial.started_at).total_seconds()


def _names(request: HttpRequest) -> list[str]:
    return request.GET.getlist("metric")[:8]


def page_context(request: HttpRequest, sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """What the whole page shows."""
    number = trial.number
    numbers = list(
        sweep.trials.filter(number__in=(number - 1, number + 1)).values_list("number", flat=True)
    )
    return _context(request, sweep, trial) | {
        "figure": trial_payload(sweep, trial, _names(request)),
        "chosen": _names(request) or [sweep.primary_metric],
        "previous": number - 1 if number - 1 in numbers else None,
        "next": number + 1 if number + 1 in numbers else None,
        "mlflow_ui": mlflow_ui_command(),
    }


@require_safe
def trial(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """Parameters, metrics, curves, log, command, and what became of it."""
    sweep = sweep_for(request, ws, name)
    context = page_context(request, sweep, trial_or_404(sweep, number))
    return render(request, "sweeps/trial/trial.html", context)


@require_safe
def live(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """What changed since the revision that the page has."""
    sweep = sweep_for(request, ws, name)
    found = trial_or_404(sweep, number)
    now = database_now()
    if is_known(request, found.revision, lambda: around(now, why_trial(found, now))):
        return HttpResponse(status=204)
    context = _context(request, sweep, found)
    fragments = {
        "trial-status": "sweeps/trial/_status.html",
        "trial-actions": "sweeps/trial/_actions.html",
        "trial-facts": "sweeps/trial/_facts.html",
        "trial-marks": "sweeps/trial/_marks.html",
        "trial-objective": "sweeps/trial/_objective.html",
        "trial-metrics": "sweeps/trial/_metrics.html",
        "trial-decisions": "sweeps/trial/_decisions.html",
        "trial-command": "sweeps/trial/_command.html",
        "trial-artifacts": "sweeps/trial/_artifacts.html",
        "trial-models": "sweeps/trial/_models.html",
        "trial-attempts": "sweeps/trial/_attempts.html",
    }
    return news(
        request,
        context,
        revision=found.revision,
        around=context["around"],
        final=context["is_settled"],
        fragments=fragments,
        figures={"chart-trial": trial_payload(sweep, found, _names(request))},
    )


@require_safe
def log(request: HttpRequest, ws: str, name: str, number: int, stream: str) -> HttpResponse:
    """A piece of a log from `offset` on (`tail=1`: the end), or all of it as a download."""
    found = trial_or_404(sweep_for(request, ws, name), number)
    final = TrialStatus(found.status).is_final
    spool = _spool(found, stream)
    return log_pieces.piece(request, spool, stream, attempt=found.attempt, final=final)


def _spool(trial: Trial, stream: str) -> Path | None:
    """The newest attempt's folder; Http404 for a log that no trial has."""
    if stream not in STREAMS:
        raise Http404
    attempt = trial.attempts.order_by("-number").first()
    return spool_of(attempt) if attempt else None


@require_safe
def download_log(
    request: HttpRequest, ws: str, name: str, number: int, stream: str
) -> StreamingHttpResponse:
    """A whole log as a file."""
    found = trial_or_404(sweep_for(request, ws, name), number)
    return log_pieces.as_file(_spool(found, stream), stream, f"{name}_{number}_{stream}.log")


@require_safe
def replay(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """A shell script that runs the trial's command with its values outside the studio."""
    found = trial_or_404(sweep_for(request, ws, name), number)
    try:
        script = replay_script(replayed(found, request.build_absolute_uri("/")))
    except InvalidInput as error:
        return HttpResponse(str(error), status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(script, content_type="text/plain; charset=utf-8")


@require_POST
def cancel(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """Kill one trial, or take it from the queue."""
    found = trial_or_404(sweep_for(request, ws, name, Role.CONTRIBUTOR), number)
    try:
        services.cancel_trial(found, actor=str(request.user), now=database_now())
    except InvalidInput as error:
        messages.warning(request, error.problems[0].message)
    return redirect("trial", ws=ws, name=name, number=number)


@require_POST
def rerun(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """A new attempt of an ended trial that did not complete."""
    found = trial_or_404(sweep_for(request, ws, name, Role.CONTRIBUTOR), number)
    try:
        services.rerun_trial(found, actor=str(request.user), now=database_now())
        tasks.run_trial(found.pk)
    except InvalidInput as error:
        messages.warning(request, error.problems[0].message)
    return redirect("trial", ws=ws, name=name, number=number)
