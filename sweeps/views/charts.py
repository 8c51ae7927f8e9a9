"""Charts of a sweep over HTTP: as JSON to draw, as a table to read, as CSV to keep."""

import csv
import gzip
import io
import json
import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studio.formatting import FORMULA
from sweeps.charts.cards import trial_cards
from sweeps.charts.figure import Table
from sweeps.charts.text import exact_text
from sweeps.figures.ask import Ask, ask
from sweeps.figures.cache import Shared
from sweeps.figures.registry import KINDS, drawn, tabled
from sweeps.models import Sweep, Trial
from sweeps.queries.analyses import importance_of
from sweeps.queries.records import objective_of, trial_records
from sweeps.queries.trials import parameter_columns
from sweeps.views.analyses import State, state_of
from sweeps.views.job import job_context, sweep_for
from sweeps.views.packed import packed
from sweeps.views.selection import selection_of

MOST_CARDS = 100
MOST_ROWS = 1000
_payloads: Shared[bytes] = Shared(100)
_compressed: Shared[bytes] = Shared(300)


def _ask(request: HttpRequest, sweep: Sweep) -> Ask:
    others = request.GET.getlist("with")
    return ask(sweep, selection_of(request), request.GET.dict(), others)


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Http404
    return kind


@require_safe
def chart(request: HttpRequest, ws: str, name: str, kind: str) -> HttpResponse:
    """What to draw, as JSON."""
    sweep = sweep_for(request, ws, name)
    asked, state = _asked(request, sweep, _kind(kind))

    def make() -> bytes:
        return gzip.compress(_text(request, asked, state, kind), compresslevel=1)

    return packed(request, _compressed.get(_key(request, sweep, kind, state), make))


def _asked(request: HttpRequest, sweep: Sweep, kind: str) -> tuple[Ask, State]:
    asked = _ask(request, sweep)
    return asked, state_of(KINDS[kind], asked)


def _key(request: HttpRequest, sweep: Sweep, kind: str, state: State) -> tuple[object, ...]:
    return (sweep.uid, kind, sweep.revision, sweep.status, request.GET.urlencode(), state)


def payload_text(request: HttpRequest, sweep: Sweep, kind: str) -> bytes:
    """What to draw, as JSON; made once for all who look at the same revision."""
    return _text(request, *_asked(request, sweep, kind), kind)


def _text(request: HttpRequest, asked: Ask, state: State, kind: str) -> bytes:
    def make() -> bytes:
        told = {"revision": asked.sweep.revision, **drawn(kind, asked), "again_ms": state.again_ms}
        return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()

    return _payloads.get(_key(request, asked.sweep, kind, state), make)


@require_safe
def table(request: HttpRequest, ws: str, name: str, kind: str) -> HttpResponse:
    """The chart in rows and columns: a page of its own, or the fragment below the chart."""
    sweep = sweep_for(request, ws, name)
    asked = _ask(request, sweep)
    state_of(KINDS[_kind(kind)], asked)
    found, summary = tabled(kind, asked)
    context: dict[str, Any] = {
        "title": KINDS[kind].title,
        "kind": kind,
        "header": found.header,
        "rows": found.rows[:MOST_ROWS],
        "count": len(found.rows),
        "most": MOST_ROWS,
        "summary": summary,
    }
    if request.headers.get("X-Fragment"):
        return render(request, "sweeps/job/_chart_table.html", context | {"sweep": sweep})
    return render(
        request, "sweeps/job/chart_table.html", job_context(request, sweep, "charts") | context
    )


@require_safe
def values(request: HttpRequest, ws: str, name: str, kind: str) -> HttpResponse:
    """The chart's values as CSV."""
    sweep = sweep_for(request, ws, name)
    found, _ = tabled(_kind(kind), _ask(request, sweep))
    response = HttpResponse(csv_text(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sweep.name}-{kind}.csv"'
    return response


# Nothing that runs as a formula, whatever it begins with.
_NUMBER = re.compile(r"[+-]?(\d[\d,]*)?\.?\d*(e[+-]?\d+)?", re.ASCII)


def _safe(text: str) -> str:
    begins = text.startswith(FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if begins else text


def csv_text(found: Table) -> str:
    """A table after RFC 4180, numbers to their last digit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_safe(exact_text(text)) for text in found.header])
    writer.writerows([_safe(exact_text(text)) for text in row] for row in found.rows)
    return out.getvalue()


@require_safe
def cards(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """What the hover cards of trials `t` say."""
    sweep = sweep_for(request, ws, name)
    numbers = selection_of(request).picked[:MOST_CARDS]
    trials = Trial.objects.filter(sweep=sweep, number__in=numbers)
    weights = importance_of(sweep) or {}
    names = sorted(parameter_columns(sweep), key=lambda name: -weights.get(name, 0.0))
    found = trial_cards(trial_records(trials), objective_of(sweep), names)
    return HttpResponse(json.dumps(found), content_type="application/json")
