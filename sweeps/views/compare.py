"""Comparing two to eight trials of a sweep."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sweeps.models import Sweep, Trial
from sweeps.queries.compare import MOST, compare
from sweeps.queries.records import best_trial
from sweeps.queries.trials import metric_names
from sweeps.views.figures import compare_payload
from sweeps.views.job import job_context, sweep_for


@require_safe
def compare_trials(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """`?t=3,7&base=3&all=1&metric=…`: chosen trials in columns."""
    sweep = sweep_for(request, ws, name)
    numbers = _numbers(request)
    trials = _trials(sweep, numbers)
    base = request.GET.get("base", "")
    baseline = int(base) if base.isdecimal() and len(base) < 9 else -1
    if trials and baseline not in [trial.number for trial in trials]:
        baseline = trials[0].number
    names = metric_names(sweep) or [sweep.primary_metric]
    metric = request.GET.get("metric", "")
    metric = metric if metric in names else sweep.primary_metric
    groups = compare(sweep, trials, baseline) if trials else []
    everything = "all" in request.GET
    best = best_trial(sweep)
    context = job_context(request, sweep, "compare") | {
        "trials": trials,
        "groups": groups,
        "everything": everything,
        "hidden": sum(not line.differs for group in groups for line in group.lines),
        "baseline": baseline,
        "best_number": best.number if best else None,
        "metric": metric,
        "metrics": names,
        "numbers": ",".join(str(trial.number) for trial in trials),
        "without": {
            trial.number: ",".join(str(t.number) for t in trials if t.pk != trial.pk)
            for trial in trials
        },
        "missing": [number for number in numbers if number not in {t.number for t in trials}],
        "most": MOST,
        "suggested": _suggested(sweep),
        "figure": compare_payload(sweep, trials, metric) if trials else None,
    }
    return render(request, "sweeps/job/compare.html", context)


def _numbers(request: HttpRequest) -> list[int]:
    """Trial numbers of `t` (given once or several times), each once, eight at most."""
    found = re.findall(r"\d{1,8}", ",".join(request.GET.getlist("t")))
    return list(dict.fromkeys(int(text) for text in found))[:MOST]


def _trials(sweep: Sweep, numbers: list[int]) -> list[Trial]:
    trials = {t.number: t for t in Trial.objects.filter(sweep=sweep, number__in=numbers)}
    return [trials[number] for number in numbers if number in trials]


def _suggested(sweep: Sweep) -> str:
    """The three best trials: what most people want to compare first."""
    best = Trial.objects.filter(sweep=sweep).best_first(sweep.goal)[:3]
    return ",".join(str(trial.number) for trial in best)
