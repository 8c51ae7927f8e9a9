"""The job page: its tabs and its live updates."""

from datetime import datetime
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studio.access import may_in, signed_in
from studio.models import Role
from sweeps.domain.doctor import Finding
from sweeps.domain.job import LoggedModels
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.figures.ask import ask
from sweeps.intake import diff_of
from sweeps.models import StateChange, Sweep
from sweeps.queries.analyses import IMPORTANCE
from sweeps.queries.best import best_of
from sweeps.queries.boards import metric_names
from sweeps.queries.clock import database_now
from sweeps.queries.failure_groups import groups
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.next_sweep import before, doctor
from sweeps.queries.progress import progress
from sweeps.queries.reach import sweep_at
from sweeps.queries.registry import versions_of_sweep
from sweeps.queries.savings import saved_s
from sweeps.queries.siblings import MOST_OFFERED, siblings
from sweeps.queries.spec_of import exported_job
from sweeps.queries.trial_table import best_order, few_trials
from sweeps.queries.trials import parameter_columns
from sweeps.queries.waiting import standstill
from sweeps.services.bulk import RERUNNABLE
from sweeps.spec.writer import to_yaml
from sweeps.views.analyses import work_out
from sweeps.views.buttons import steering
from sweeps.views.chart_cards import cards
from sweeps.views.chips import carried, chips
from sweeps.views.files import has_artifacts
from sweeps.views.live import around
from sweeps.views.new_sweep_rules import MODEL_WORDS
from sweeps.views.selection import selection_of
from sweeps.views.standing import standing_of_sweep
from sweeps.views.table import MOST_TICKED, bar, hint, status_counts, table_context

FIRST_TRIALS = 6
# With so many axes or fewer the curves fit beside the parallel coordinates.
FEW_AXES = 4
# Tabs that show what the selection keeps.
FILTERED = ("overview", "trials", "charts")


def sweep_for(request: HttpRequest, ws: str, name: str, role: Role = Role.READER) -> Sweep:
    """The sweep, if the person has at least `role` in its workspace; else Http404."""
    found = sweep_at(signed_in(request), role, ws, name)
    if found is None:
        raise Http404
    return found


class Moment(NamedTuple):
    """When a sweep is looked at, and why nothing of it runs then."""

    now: datetime
    waiting: str


def moment_of(sweep: Sweep) -> Moment:
    now = database_now()
    return Moment(now, standstill(sweep, now))


def job_context(
    request: HttpRequest, sweep: Sweep, tab: str, moment: Moment | None = None
) -> dict[str, Any]:
    """What every tab shows; `moment` is for who knows it already."""
    now, waiting = moment or moment_of(sweep)
    done = progress(sweep, now)
    best = best_of(sweep)
    return {
        "sweep": sweep,
        "workspace": sweep.workspace,
        "tab": tab,
        "progress": done,
        "best": best,
        "standing": standing_of_sweep(sweep, done, best),
        "saved_s": saved_s(sweep),
        "waiting": waiting,
        "now": now,
        "around": around(now, waiting),
        "is_final": SweepStatus(sweep.status).is_final,
        "may_run": may_in(request, sweep.workspace, Role.CONTRIBUTOR),
        "steering": steering(sweep, done),
        "failed": done.count(*PROBLEMS),
        "queued": done.count(TrialStatus.QUEUED),
        "is_ending": sweep.status == SweepStatus.STOPPING,
        "sampling": sweep.sampling,
        "before": before(sweep),
        "rerunnable": RERUNNABLE,
        "builds": _build_log(sweep),
        **(_selected(request, sweep) if tab in FILTERED else {}),
        "carried": carried(request.GET),
    }


def _selected(request: HttpRequest, sweep: Sweep) -> dict[str, Any]:
    """What the selection says, and what one may do with what is ticked."""
    selection = selection_of(request)
    return {
        "selection": selection,
        "chips": chips(sweep, selection, request.GET),
        "bar": bar(sweep, selection, request.GET),
        "most_ticked": MOST_TICKED,
    }


def _build_log(sweep: Sweep) -> str:
    """Where the log of its environment stands, "" once that was built."""
    if sweep.environment_build_id is None or sweep.run_id:
        return ""
    return reverse("sweep_logs", args=[sweep.workspace.name, sweep.name]) + "#environment"


def _with_failures(
    request: HttpRequest, sweep: Sweep, tab: str, moment: Moment | None
) -> dict[str, Any]:
    context = job_context(request, sweep, tab, moment)
    return context | {"failures": groups(sweep) if context["failed"] else []}


def _curve_mode(request: HttpRequest) -> str:
    mode = request.GET.get("curves", "")
    return mode if mode in ("selected", "all") else "best"


def _findings(sweep: Sweep) -> list[Finding]:
    """What an ended sweep's trials say of its search space; what matters is worked out meanwhile
    and said the next time."""
    if not SweepStatus(sweep.status).is_final:
        return []
    work_out(sweep, IMPORTANCE)
    return doctor(sweep)


def overview_context(
    request: HttpRequest, sweep: Sweep, moment: Moment | None = None
) -> dict[str, Any]:
    latest = request.GET.get("show") == "latest"
    order = "-number" if latest else best_order(sweep)
    context = _with_failures(request, sweep, "overview", moment)
    best, axes = context["best"], len(parameter_columns(sweep))
    return context | {
        "findings": _findings(sweep),
        "has_outputs": best is not None and has_artifacts(best.trial),
        "registered": versions_of_sweep(sweep),
        "seen": metric_names(sweep),
        "table": few_trials(sweep, context["now"], order, FIRST_TRIALS, context["selection"]),
        "latest": latest,
        "curves": _curve_mode(request),
        "axes": axes,
        "few_axes": axes + 1 <= FEW_AXES,
    }


@require_safe
def overview(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Progress, best trial, charts and the first trials."""
    sweep = sweep_for(request, ws, name)
    return render(request, "sweeps/job/overview.html", overview_context(request, sweep))


def _trials(request: HttpRequest, sweep: Sweep, moment: Moment | None) -> dict[str, Any]:
    context = _with_failures(request, sweep, "trials", moment)
    family, text = hint(sweep, context["failures"])
    table = table_context(request, sweep, selection_of(request))
    counts = status_counts(sweep, table["selection"])
    tabs = [(part.status, counts[str(part.status)]) for part in context["progress"].segments]
    table |= {"status_tabs": tabs, "all_count": sum(counts.values())}
    parallel_off = request.GET.get("parallel") == "off"
    return context | table | {"hint": text, "hint_family": family, "parallel_off": parallel_off}


def trials_context(
    request: HttpRequest, sweep: Sweep, moment: Moment | None = None
) -> dict[str, Any]:
    """What the trials tab shows; Http404 for an address that makes no sense."""
    try:
        return _trials(request, sweep, moment)
    except InvalidInput as error:
        raise Http404(str(error)) from error


@require_safe
def trials(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The table of all trials; its state is in the URL."""
    context = trials_context(request, sweep_for(request, ws, name))
    return render(request, "sweeps/job/trials.html", context)


@require_safe
def charts(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Every kind of chart, large, with its options."""
    sweep = sweep_for(request, ws, name)
    asked = ask(sweep, selection_of(request), request.GET.dict())
    context = job_context(request, sweep, "charts") | {
        "cards": cards(asked, request.GET),
        "siblings": siblings(sweep)[:MOST_OFFERED],
        "beside": request.GET.getlist("with"),
        "own_words": f"?{request.GET.urlencode()}" if request.GET else "",
    }
    return render(request, "sweeps/job/charts.html", context)


@require_safe
def logs(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """What the studio did for this sweep, newest first."""
    sweep = sweep_for(request, ws, name)
    changes = StateChange.objects.filter(sweep=sweep).select_related("trial").order_by("-id")
    context = job_context(request, sweep, "logs") | {"changes": changes[:500]}
    return render(request, "sweeps/job/logs.html", context)


@require_safe
def config(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The sweep as it was submitted: job file, code, notes."""
    sweep = sweep_for(request, ws, name)
    context = job_context(request, sweep, "config") | {
        "yaml": to_yaml(exported_job(sweep)),
        "diff": diff_of(str(sweep.git.get("diff", ""))),
        "build": sweep.environment_build,
        "model_words": MODEL_WORDS[LoggedModels(sweep.logged_models)],
        "revisions": sweep.revisions.order_by("-number"),
    }
    return render(request, "sweeps/job/config.html", context)
