"""Comparing two to eight trials of a sweep."""

import re
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studio import formatting
from sweeps.domain.selection import Selection
from sweeps.models import Sweep, Trial
from sweeps.queries.boards import metric_names
from sweeps.queries.compare import MOST, compare
from sweeps.queries.records import best_trial
from sweeps.queries.trial_table import matching
from sweeps.views.compare_table import columns, left_out, table, with_words
from sweeps.views.figures import compare_payload, gap_payload
from sweeps.views.job import job_context, sweep_for

SUGGESTED = 3
OFFERED = 20


@require_safe
def compare_trials(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """`?t=3,7&base=3&all=1&metric=…`: chosen trials in columns; `add` adds by number or text."""
    sweep = sweep_for(request, ws, name)
    asked = _numbers(request.GET.getlist("t"))
    if "add" in request.GET:
        return _added(request, sweep, asked)
    trials = _trials(sweep, asked[:MOST])
    numbers = [trial.number for trial in trials]
    base = request.GET.get("base", "")
    place = numbers.index(int(base)) if base.isdecimal() and int(base[:9]) in numbers else 0
    names = metric_names(sweep) or [sweep.primary_metric]
    metric = request.GET.get("metric", "")
    metric = metric if metric in names else sweep.primary_metric
    groups = compare(trials, place) if trials else []
    best = best_trial(sweep)

    def head(index: int) -> dict[str, Any]:
        trial = trials[index]
        return {
            "title": f"#{trial.number}",
            "url": reverse("trial", args=[ws, name, trial.number]),
            "colour": formatting.trial_colour(trial.number),
            "status": trial.status,
            "is_best": best is not None and best.pk == trial.pk,
        }

    heads = columns(request.GET, "t", [str(number) for number in numbers], head, place)
    context = job_context(request, sweep, "compare") | table(heads, groups, request.GET)
    context |= {
        "metric": metric,
        "metrics": names,
        "left_out": left_out([f"#{number}" for number in asked]),
        "missing": [number for number in asked[:MOST] if number not in numbers],
        "unfound": request.GET.get("unfound", ""),
        "suggested": ",".join(map(str, _best(sweep, SUGGESTED))),
        "offered": _best(sweep, OFFERED),
        "kept": [(w, v) for w, vs in request.GET.lists() for v in vs if w != "unfound"],
        "figure": compare_payload(sweep, trials, metric) if trials else None,
        "gap": gap_payload(sweep, trials, metric, numbers[place]) if len(trials) > 1 else None,
    }
    return render(request, "sweeps/job/compare.html", context)


def _added(request: HttpRequest, sweep: Sweep, numbers: Sequence[int]) -> HttpResponse:
    """To the page with trials of these numbers too, or the best of those that say the text."""
    text = request.GET["add"].strip()
    fresh = _numbers([text])
    if not re.fullmatch(r"[#\d,\s]*", text):
        found = matching(sweep, Selection(text=text)).tolist()
        fresh = [number for number in found if number not in numbers][: MOST - len(numbers)]
    query = request.GET.copy()
    query.pop("add")
    together = list(dict.fromkeys([*numbers, *fresh]))
    changes = {"t": ",".join(map(str, together)) or None}
    unfound = text if text and not fresh else None
    address = reverse("sweep_compare", args=[sweep.workspace.name, sweep.name])
    return redirect(f"{address}{with_words(query, **changes, unfound=unfound)}")


def _numbers(texts: Sequence[str]) -> list[int]:
    """Trial numbers of `t` (given once or several times), each once."""
    found = re.findall(r"\d{1,8}", ",".join(texts))
    return list(dict.fromkeys(int(text) for text in found))[:200]


def _trials(sweep: Sweep, numbers: Sequence[int]) -> list[Trial]:
    trials = {t.number: t for t in Trial.objects.filter(sweep=sweep, number__in=numbers)}
    for trial in trials.values():
        trial.sweep = sweep
    return [trials[number] for number in numbers if number in trials]


def _best(sweep: Sweep, count: int) -> list[int]:
    """The best trials: what most people want to compare first."""
    best = Trial.objects.filter(sweep=sweep).best_first(sweep.goal)[:count]
    return list(best.values_list("number", flat=True))
