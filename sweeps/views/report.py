"""A sweep as one HTML file that opens anywhere: no script, nothing from the network."""

import re
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from sweeps.charts.svg import color
from sweeps.charts.svg_curves import curves_svg
from sweeps.charts.svg_history import history_svg
from sweeps.charts.svg_parallel import MAX_AXES, parallel_svg
from sweeps.domain.selection import Selection
from sweeps.domain.states import TrialStatus
from sweeps.figures import curves, history, parallel
from sweeps.figures.ask import Ask, ask
from sweeps.models import Sweep, Trial
from sweeps.queries.best import best_of
from sweeps.queries.clock import database_now
from sweeps.queries.failure_groups import groups
from sweeps.queries.progress import progress
from sweeps.queries.spec_of import exported_job
from sweeps.queries.trials import parameter_columns
from sweeps.spec.writer import to_yaml
from sweeps.views.files import SANDBOX
from sweeps.views.job import sweep_for

TOP, GROUPS, NUMBERS, COLUMNS = 20, 50, 20, 12
# Letters of what people and scripts wrote: a report stays small whatever that is.
MOST_TEXT, MOST_CELL, MOST_LINES = 60_000, 200, 1_000
_BLOCK = re.compile(r'^(:root|\[data-bs-theme="dark"\]) \{\n(.*?)^\}', re.DOTALL | re.MULTILINE)


@require_safe
def report(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The report, to be read here or kept (`download` in the link)."""
    sweep = sweep_for(request, ws, name)
    origin = request.build_absolute_uri(sweep.get_absolute_url())
    response = HttpResponse(render_to_string("sweeps/report.html", _context(sweep, origin)))
    response["Content-Security-Policy"] = f"{SANDBOX}; style-src 'unsafe-inline'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _context(sweep: Sweep, origin: str) -> dict[str, Any]:
    now = database_now()
    asked = ask(sweep, Selection(), {})
    names = parameter_columns(sweep)
    build = sweep.environment_build
    return {
        "sweep": sweep,
        "workspace": sweep.workspace,
        "origin": origin,
        "now": now,
        "tokens": _tokens(),
        "progress": progress(sweep, now),
        "best": best_of(sweep),
        "charts": [_chart(asked, *one) for one in _CHARTS],
        "columns": names[:COLUMNS],
        "more_columns": max(len(names) - COLUMNS, 0),
        "top": _top(sweep, names[:COLUMNS]),
        "failures": _failures(sweep),
        "yaml": _cut(to_yaml(exported_job(sweep))),
        "description": _cut(sweep.description),
        "packages": (build.packages if build else sweep.packages)[:MOST_LINES],
        "python": build.python if build else sweep.interpreter or sweep.compute.python,
        "notes": [_cut(str(note), 1000) for note in sweep.notes[:50]],
        "revisions": list(sweep.revisions.order_by("number")[:100]),
    }


_CHARTS: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
    ("Objective", history, history_svg),
    ("Parallel coordinates", parallel, parallel_svg),
    ("Metric curves", curves, curves_svg),
)


def _chart(asked: Ask, title: str, kind: Any, draw: Callable[[Any], str]) -> dict[str, Any]:
    info, _figure = kind.build(asked)
    note = info.note
    if kind is parallel and len(info.axes) > MAX_AXES:
        note += f", the first {MAX_AXES - 1} of {len(info.axes) - 1} parameters"
    picture: SafeString | str = ""
    if not info.empty:
        picture = mark_safe(draw(info))  # noqa: S308 - its texts are escaped where it is drawn
    keys = [(color(key.color), key.text) for key in info.legend]
    return {"title": title, "note": note, "empty": info.empty, "svg": picture, "keys": keys}


def _top(sweep: Sweep, names: list[str]) -> list[dict[str, Any]]:
    """The best trials, and where too few can win the first others."""
    known = Trial.objects.filter(sweep=sweep)
    trials = list(known.best_first(sweep.goal)[:TOP])
    seen = [trial.pk for trial in trials]
    others = known.exclude(pk__in=seen).exclude(status=TrialStatus.QUEUED).order_by("number")
    return [
        {
            "trial": trial,
            "values": [_shown(trial.flat_params.get(name)) for name in names],
            "seconds": (trial.ended_at - trial.started_at).total_seconds()
            if trial.ended_at and trial.started_at
            else None,
        }
        for trial in [*trials, *others[: TOP - len(trials)]]
    ]


def _shown(value: Any) -> Any:
    return value[:MOST_CELL] if isinstance(value, str) else value


def _failures(sweep: Sweep) -> list[dict[str, Any]]:
    return [
        {
            "reason": _cut(group.example.reason or group.signature, 500),
            "status": group.example.status,
            "count": group.count,
            "numbers": sorted(group.numbers)[:NUMBERS],
            "more": max(group.count - NUMBERS, 0),
        }
        for group in islice(groups(sweep), GROUPS)
    ]


def _cut(text: str, most: int = MOST_TEXT) -> str:
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text):,} characters in all)"


@cache
def _tokens() -> SafeString:
    """The studio's colours, light, and dark where the reader prefers that."""
    source = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    blocks: dict[str, str] = {}
    for selector, body in _BLOCK.findall(source):
        blocks.setdefault(selector, body)
    light, dark = blocks[":root"], blocks['[data-bs-theme="dark"]']
    media = "@media screen and (prefers-color-scheme: dark)"
    return SafeString(f":root {{\n{light}}}\n{media} {{ :root {{\n{dark}}} }}\n")
