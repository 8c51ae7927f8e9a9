"""Comparing sweeps, and trials of different sweeps."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studio import formatting
from studio.access import workspace_for
from studio.models import Workspace
from sweeps.domain.wording import cut
from sweeps.models import Sweep, Trial
from sweeps.queries.best import best_of_each
from sweeps.queries.compare import MOST
from sweeps.queries.compare import compare as compare_trials
from sweeps.queries.compare_sweeps import compare_sweeps
from sweeps.queries.lists import sweeps_of
from sweeps.views.compare_table import columns, left_out, table, with_words
from sweeps.views.figures import LONGEST, so_far_payload, trials_payload

OFFERED = 50
Picked = tuple[str, int]


@require_safe
def compare(request: HttpRequest, ws: str) -> HttpResponse:
    """`?s=a,b&t=a:3,b:7&base=a&all=1`: sweeps in columns, and below them trials of any of them."""
    workspace = workspace_for(request, ws)
    names, picked = _words(request, "s"), _picked(_words(request, "t"))
    if add := request.GET.get("add", "").strip():
        query = request.GET.copy()
        query.pop("add")
        changes = {"s": ",".join(dict.fromkeys([*names, add]))}
        return redirect(f"{reverse('compare_sweeps', args=[ws])}{with_words(query, **changes)}")
    sweeps = _sweeps(workspace, names[:MOST])
    trials = _trials(workspace, picked[:MOST])
    best = best_of_each(sweeps)
    offered = sweeps_of([workspace]).order_by("-created_at")[:OFFERED]
    context = {
        "workspace": workspace,
        "missing": _missing(names, picked, sweeps, trials),
        "left_out": [left_out(names), left_out([f"{name}:{n}" for name, n in picked])],
        "kept": [(w, v) for w, values in request.GET.lists() for v in values if w != "add"],
        "offered": [sweep for sweep in offered if sweep.name not in names],
        "bests": ",".join(
            f"{sweep.name}:{best[sweep.pk].number}" for sweep in sweeps if sweep.pk in best
        ),
        "sweeps_table": _of_sweeps(request, sweeps, best),
        "trials_table": _of_trials(request, trials),
        "so_far": so_far_payload(sweeps) if sweeps else None,
        "curves": _curves(trials),
        "metrics": sorted({f"{sweep.goal} {sweep.primary_metric}" for sweep in sweeps}),
    }
    context["best_url"] = with_words(request.GET, t=str(context["bests"]))
    return render(request, "sweeps/compare/compare.html", context)


def _words(request: HttpRequest, word: str) -> list[str]:
    found = ",".join(request.GET.getlist(word)).replace("\0", "").split(",")
    return list(dict.fromkeys(text.strip() for text in found if text.strip()))[:100]


def _picked(words: Sequence[str]) -> list[Picked]:
    """Sweep and trial of `a:3`; what is not written so is passed over."""
    parted = [word.rpartition(":") for word in words]
    return [(name, int(n)) for name, _, n in parted if n.isdecimal() and len(n) < 9]


def _sweeps(workspace: Workspace, names: Sequence[str]) -> list[Sweep]:
    rows = sweeps_of([workspace]).filter(name__in=names).select_related("compute", "code")
    found = {sweep.name: sweep for sweep in rows}
    return [found[name] for name in names if name in found]


def _trials(workspace: Workspace, picked: Sequence[Picked]) -> list[Trial]:
    names, numbers = {name for name, _ in picked}, {number for _, number in picked}
    rows = Trial.objects.filter(
        sweep__in=sweeps_of([workspace]).filter(name__in=names), number__in=numbers
    ).select_related("sweep")
    found = {(trial.sweep.name, trial.number): trial for trial in rows}
    return [found[pair] for pair in picked if pair in found]


def _missing(
    names: Sequence[str], picked: Sequence[Picked], sweeps: Sequence[Sweep], trials: Sequence[Trial]
) -> list[str]:
    there = {sweep.name for sweep in sweeps}
    known = {(trial.sweep.name, trial.number) for trial in trials}
    lost = [f"There is no sweep {name} here." for name in names[:MOST] if name not in there]
    return lost + [
        f"There is no trial {number} in {name}."
        for name, number in picked[:MOST]
        if (name, number) not in known
    ]


def _place(request: HttpRequest, names: Sequence[str]) -> int:
    base = request.GET.get("base", "")
    return names.index(base) if base in names else 0


def _of_sweeps(
    request: HttpRequest, sweeps: Sequence[Sweep], best: dict[int, Trial]
) -> dict[str, Any] | None:
    if not sweeps:
        return None
    names = [sweep.name for sweep in sweeps]
    place = _place(request, names)

    def head(index: int) -> dict[str, Any]:
        sweep = sweeps[index]
        return {
            "title": str(sweep),
            "under": sweep.name if sweep.display_name else "",
            "url": sweep.get_absolute_url(),
            "colour": formatting.trial_colour(index),
            "status": sweep.status,
            "is_best": False,
        }

    heads = columns(request.GET, "s", names, head, place)
    return table(heads, compare_sweeps(sweeps, place), request.GET)


def _of_trials(request: HttpRequest, trials: Sequence[Trial]) -> dict[str, Any] | None:
    if not trials:
        return None
    names = [f"{trial.sweep.name}:{trial.number}" for trial in trials]
    place = _place(request, names)

    def head(index: int) -> dict[str, Any]:
        trial = trials[index]
        ws, name = request.resolver_match.kwargs["ws"], trial.sweep.name  # type: ignore[union-attr]
        return {
            "title": f"#{trial.number}",
            "under": str(trial.sweep),
            "url": reverse("trial", args=[ws, name, trial.number]),
            "colour": formatting.trial_colour(index),
            "status": trial.status,
            "is_best": False,
        }

    heads = columns(request.GET, "t", names, head, place)
    return table(heads, compare_trials(trials, place), request.GET)


def _curves(trials: Sequence[Trial]) -> Any:
    if not trials:
        return None
    labels = [f"{cut(str(trial.sweep), LONGEST)} #{trial.number}" for trial in trials]
    return trials_payload(trials, labels, trials[0].sweep.primary_metric)
