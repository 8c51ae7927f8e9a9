"""Environments: the list, the form, and what is built of them."""

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studio.access import may_in, workspace_for
from studio.forms import program_problem
from studio.models import Compute, Role, Workspace
from sweeps.domain.environments import THE_COMPUTES, Chosen
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.environments.places import summary
from sweeps.forms.environment import EnvironmentForm
from sweeps.intake_environments import chosen_of, usual_compute
from sweeps.models import Environment, EnvironmentBuild, EnvironmentKind
from sweeps.queries import environments as queries
from sweeps.queries.builds import is_asked_for_in
from sweeps.queries.clock import database_now
from sweeps.queries.waiting import part_down
from sweeps.services import environments as services
from sweeps.spec.reader import placed
from sweeps.views import log_pieces
from sweeps.views.lists import wants_fragment

_SWEEPS_SHOWN = 8


# --- What an environment means here -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a build is, as its badge says it; `is_idle` when nobody waits for it."""

    label: str
    family: str
    icon: str
    at: datetime | None = None
    is_live: bool = False
    is_idle: bool = False


_NOT_BUILT = Standing("Not built", "neutral", "circle-dashed", is_idle=True)


def standing(build: EnvironmentBuild | None, is_wanted: bool) -> Standing:
    """The badge of a build, of which there may be none yet."""
    if build is None:
        return _NOT_BUILT
    if build.state == EnvironmentBuild.DONE:
        return Standing("Built", "green", "circle-check", build.ended_at)
    if build.state == EnvironmentBuild.BUILDING:
        return Standing("Building", "blue", "loader", build.started_at, is_live=True)
    if build.state == EnvironmentBuild.FAILED:
        return Standing("Failed", "red", "circle-x", build.ended_at, is_live=is_wanted)
    return Standing("Waiting", "neutral", "clock", is_live=True) if is_wanted else _NOT_BUILT


def _meant(environment: Environment, compute: Compute) -> tuple[Chosen, str]:
    """What it means on the compute, and why it means nothing (any more)."""
    try:
        chosen = chosen_of(environment, compute)
    except InvalidInput as error:
        return THE_COMPUTES, error.problems[0].message
    apart = compute.is_isolated
    return chosen, (program_problem(chosen.python, apart=apart) or "") if chosen.python else ""


# --- The list -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """An environment in the list; `standing` is None for one that is not built."""

    environment: Environment
    words: str
    problem: str
    standing: Standing | None
    sweeps: int


@dataclass(frozen=True, slots=True)
class Other:
    """A build for sweeps that is none of what a name means now."""

    build: EnvironmentBuild
    words: str
    standing: Standing


@require_safe
def environment_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Those with a name, and what else is built for sweeps. htmx gets the live part alone."""
    workspace = workspace_for(request, ws)
    compute = usual_compute(workspace)
    named = [(one, *_meant(one, compute)) for one in workspace.environments.all()]
    digests = [chosen.recipe.digest for _, chosen, _ in named if chosen.recipe]
    others = queries.other_builds(workspace, digests)
    builds = EnvironmentBuild.objects.in_bulk(digests)
    wanted = queries.wanted_among([*digests, *(build.digest for build in others)])
    uses = queries.uses(workspace)
    rows = [
        _row(one, chosen, problem, builds, wanted, uses.get(one.name, 0))
        for one, chosen, problem in named
    ]
    beside = [
        Other(one, summary(one.recipe), standing(one, one.digest in wanted)) for one in others
    ]
    shown = [row.standing for row in rows if row.standing] + [row.standing for row in beside]
    context = {
        "workspace": workspace,
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "rows": rows,
        "others": beside,
        "is_live": any(one.is_live for one in shown),
    }
    fragment = wants_fragment(request)
    template = "environments/_live.html" if fragment else "environments/list.html"
    return render(request, template, context)


def _row(
    environment: Environment,
    chosen: Chosen,
    problem: str,
    builds: dict[str, EnvironmentBuild],
    wanted: set[str],
    sweeps: int,
) -> Row:
    if chosen.recipe is None:
        return Row(environment, chosen.python, problem, None, sweeps)
    digest = chosen.recipe.digest
    how = standing(builds.get(digest), digest in wanted)
    return Row(environment, summary(chosen.recipe.document()), problem, how, sweeps)


# --- One of them --------------------------------------------------------------------------------


def _environment(request: HttpRequest, ws: str, name: str, role: Role) -> Environment:
    workspace = workspace_for(request, ws, role)
    return get_object_or_404(workspace.environments, name=name)


@require_http_methods(["GET", "POST"])
def environment_new(request: HttpRequest, ws: str) -> HttpResponse:
    """A form for a new environment."""
    workspace = workspace_for(request, ws, Role.CONTRIBUTOR)
    new = Environment(workspace=workspace, created_at=timezone.now())
    return _edit(request, new, "The environment “{}” is ready: sweeps may name it.")


@require_http_methods(["GET", "POST"])
def environment(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """What it holds and what was built of it, with a form for those who may change it."""
    role = Role.READER if request.method == "GET" else Role.CONTRIBUTOR
    found = _environment(request, ws, name, role)
    return _edit(
        request,
        found,
        "The environment “{}” is changed, for sweeps that are submitted from now on.",
    )


def _edit(request: HttpRequest, environment: Environment, done: str) -> HttpResponse:
    workspace, stored = environment.workspace, _as_stored(environment)
    form = EnvironmentForm(request.POST if request.method == "POST" else None, instance=environment)
    if request.method == "POST" and form.is_valid() and _is_usable(form):
        try:
            services.save_environment(form.save(commit=False))
        except InvalidInput as error:
            form.add_error("name", error.problems[0].message)
        else:
            messages.success(request, done.format(environment.name))
            return redirect(environment)
    context = {
        "form": form,
        "workspace": workspace,
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "stored": stored,
        "kind": form["kind"].value(),
        **(_stored_context(stored) if stored else {}),
    }
    status = 422 if form.errors else 200
    return render(request, "environments/edit.html", context, status=status)


def _as_stored(environment: Environment) -> Environment | None:
    """The environment as it is stored, which a form with errors no longer says; None for new."""
    return copy(environment) if environment.pk else None


def _is_usable(form: EnvironmentForm) -> bool:
    """True if the text can be read; else the form tells each line that cannot."""
    environment = form.instance
    try:
        chosen_of(environment, usual_compute(environment.workspace))
    except InvalidInput as error:
        for text in _told(error, environment):
            form.add_error("source", text)
    return form.is_valid()


def _told(error: InvalidInput, environment: Environment) -> list[str]:
    """What is wrong, with lines."""
    if environment.kind != EnvironmentKind.CONDA:
        return [problem.message for problem in error.problems]
    inner = [
        replace(one, field=one.field.removeprefix("source").lstrip(".")) for one in error.problems
    ]
    try:
        return [_with_line(one) for one in placed(inner, environment.source)]
    except InvalidInput:  # no YAML, which the message says with its line
        return [one.message for one in inner]


def _with_line(problem: Problem) -> str:
    return f"Line {problem.line}: {problem.message}" if problem.field else problem.message


def _stored_context(environment: Environment) -> dict[str, Any]:
    workspace, compute = environment.workspace, usual_compute(environment.workspace)
    chosen, problem = _meant(environment, compute)
    pythons = set(workspace.computes.values_list("python", flat=True))
    sweeps = queries.sweeps_in(workspace).filter(environment_name=environment.name)
    context: dict[str, Any] = {
        "name": environment.name,
        "problem": problem,
        "notes": chosen.notes,
        "sweeps": sweeps.order_by("-created_at")[:_SWEEPS_SHOWN],
        "sweep_count": sweeps.count(),
        "is_built": chosen.recipe is not None,
        "compute": compute if len(pythons) > 1 else None,
    }
    if chosen.recipe:
        row = EnvironmentBuild.objects.filter(pk=chosen.recipe.digest).first()
        context |= _build_context(workspace, row, environment)
    return context


@require_POST
def delete(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Delete the name; what was built, and what ran in it, stays."""
    found = _environment(request, ws, name, Role.CONTRIBUTOR)
    services.delete_environment(found)
    messages.success(request, f"The environment “{name}” is deleted.")
    return redirect("environment_list", ws=ws)


@require_POST
def build_now(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Have it built before a sweep asks for it, or again after it failed."""
    found = _environment(request, ws, name, Role.CONTRIBUTOR)
    chosen, problem = _meant(found, usual_compute(found.workspace))
    if chosen.recipe:
        build = services.build_of(chosen.recipe, database_now())
        _ask_for(request, build, found.workspace, found)
    elif problem:
        messages.error(request, problem)
    return redirect(found)


# --- What is built ------------------------------------------------------------------------------


def _build_context(
    workspace: Workspace, build: EnvironmentBuild | None, environment: Environment | None
) -> dict[str, Any]:
    """What the part of a page on a build needs."""
    is_wanted = build is not None and queries.is_wanted(build)
    how = standing(build, is_wanted)
    took = None
    if build and build.started_at and build.ended_at and not how.is_live:
        took = (build.ended_at - build.started_at).total_seconds()
    return {
        "build": build,
        "standing": how,
        "took": took,
        "of": environment,
        "is_missing": how.is_idle or (how.family == "red" and not is_wanted),
        "is_asked": build is not None and how.is_live and is_asked_for_in(workspace, build),
        "why": part_down(database_now()) if how.is_live else "",
        "log": queries.log_tail(build) if build else [],
    }


def _build(
    request: HttpRequest, ws: str, digest: str, role: Role
) -> tuple[Workspace, EnvironmentBuild, Environment | None]:
    """A build that is one of the workspace's: of an environment of it, or for a sweep of it."""
    workspace = workspace_for(request, ws, role)
    of = workspace.environments.filter(name=request.GET.get("of", "")).first()
    if (
        of
        and (recipe := _meant(of, usual_compute(workspace))[0].recipe)
        and recipe.digest == digest
    ):
        return workspace, get_object_or_404(EnvironmentBuild, pk=digest), of
    return workspace, get_object_or_404(queries.builds_of(workspace), pk=digest), None


@require_safe
def build(request: HttpRequest, ws: str, digest: str) -> HttpResponse:
    """A build for sweeps of the workspace; htmx gets its live part alone."""
    workspace, found, of = _build(request, ws, digest, Role.READER)
    context = {
        "workspace": workspace,
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        **_build_context(workspace, found, of),
    }
    if wants_fragment(request):
        return render(request, "environments/_build.html", context)
    sweeps = found.sweeps.real().filter(workspace=workspace)
    context |= {
        "words": summary(found.recipe),
        "sweeps": sweeps.order_by("-created_at")[:_SWEEPS_SHOWN],
        "sweep_count": sweeps.count(),
    }
    return render(request, "environments/build.html", context)


@require_POST
def build_again(request: HttpRequest, ws: str, digest: str) -> HttpResponse:
    """Have it built (again) though no sweep waits for it."""
    workspace, found, of = _build(request, ws, digest, Role.CONTRIBUTOR)
    _ask_for(request, found, workspace, of)
    return redirect("build", ws=ws, digest=digest)


def _ask_for(
    request: HttpRequest,
    build: EnvironmentBuild,
    workspace: Workspace,
    environment: Environment | None,
) -> None:
    try:
        services.ask_for(build.digest, workspace, environment)
    except InvalidInput as error:
        messages.error(request, error.problems[0].message)


@require_POST
def build_cancel(request: HttpRequest, ws: str, digest: str) -> HttpResponse:
    """Have it built no more, as far as only somebody of the workspace has asked for it."""
    workspace, found, of = _build(request, ws, digest, Role.CONTRIBUTOR)
    services.withdraw(found, workspace, of)
    if queries.is_wanted(found):
        messages.info(request, "It is built all the same: somebody else waits for it.")
    return redirect(of) if of else redirect("build", ws=ws, digest=digest)


@require_safe
def build_log(request: HttpRequest, ws: str, digest: str) -> StreamingHttpResponse:
    """All that the newest build wrote."""
    found = _build(request, ws, digest, Role.READER)[1]
    return log_pieces.whole(queries.log_folder(found), queries.LOGS)
