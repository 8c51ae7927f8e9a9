"""What a job page gets when there is news; rendered once for all who watch the same sweep."""

import gzip
import json
import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from studio.access import signed_in
from studio.models import Membership
from sweeps.figures.cache import Settled, Shared
from sweeps.figures.registry import KINDS
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.reach import pulse_at
from sweeps.queries.waiting import is_well, standstill
from sweeps.views.charts import payload_text
from sweeps.views.job import (
    FILTERED,
    Moment,
    job_context,
    overview_context,
    sweep_for,
    trials_context,
)
from sweeps.views.live import around, is_known, since_of, told
from sweeps.views.packed import packed
from sweeps.views.table import columns_asked

log = logging.getLogger(__name__)

# Fragments of every tab, and those of each.
_ALWAYS = {
    "job-notice": "sweeps/job/_notice.html",
    "job-status": "sweeps/job/_status.html",
    "job-actions": "sweeps/job/_actions.html",
    "job-progress": "sweeps/job/_progress.html",
}
_OVERVIEW = {
    "job-best": "sweeps/job/_best.html",
    "job-doctor": "sweeps/job/_doctor.html",
    "job-failures": "sweeps/job/_failures.html",
    "job-trials": "sweeps/job/_first.html",
}
_TRIALS = {
    "job-failures": "sweeps/job/_failures.html",
    "job-trials": "sweeps/job/_trials.html",
}
_SELECTED = {
    "job-selection": "sweeps/job/_selection.html",
    "job-bar": "sweeps/job/_bar.html",
}
# What is rendered says how long something takes: it is told anew after so many seconds.
_FRESH_S = 2
_answers: Shared[bytes] = Shared(200)
# A sweep whose trials log ten values a second has as many revisions: what was rendered so lately
# is news enough.
_revisions = Settled(seconds=0.25)


@require_safe
def live(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """What changed since the revision that the page has: 204, or fragments and the charts that the
    page asks for (`charts=objective,parallel`)."""
    pulse = pulse_at(signed_in(request), ws, name)
    if pulse is None:
        raise Http404
    now, whole = database_now(), cache(lambda: sweep_for(request, ws, name))
    waiting = cache(lambda: "" if is_well(pulse) else standstill(whole(), now))
    word = cache(lambda: around(now, waiting()))
    if is_known(request, pulse.revision, word):
        return HttpResponse(status=204)
    sweep = whole()
    is_same = sweep.revision == pulse.revision
    seen = Moment(now, waiting() if is_same else standstill(sweep, now))
    since = since_of(request)
    tab, kinds = _take_own_words(request)
    rights = Membership.objects.role_of(signed_in(request), sweep.workspace)
    revision = _revisions.of(sweep.uid, sweep.revision, since, time.monotonic())
    moment = (revision, sweep.status, word(), int(now.timestamp()) // _FRESH_S)
    own = (request.GET.urlencode(), *columns_asked(request))
    key = (sweep.uid, *moment, rights, tab, kinds, *own)
    return packed(request, _answers.get(key, lambda: _answer(request, sweep, seen, tab, kinds)))


def _answer(
    request: HttpRequest, sweep: Sweep, seen: Moment, tab: str, kinds: tuple[str, ...]
) -> bytes:
    context, fragments = _parts(request, sweep, seen, tab)
    said = told(
        request,
        context,
        revision=sweep.revision,
        around=context["around"],
        final=context["is_final"],
        fragments=fragments,
    )
    figures = b",".join(filter(None, (_figure(request, sweep, kind) for kind in kinds)))
    text = json.dumps(said).encode()[:-1] + b',"figures":{' + figures + b"}}"
    return gzip.compress(text, compresslevel=1)


def _figure(request: HttpRequest, sweep: Sweep, kind: str) -> bytes:
    """A chart under its id; nothing for one that cannot be drawn, which must not keep the page
    from all other news: the chart's own address tells of the fault."""
    try:
        drawn = payload_text(request, sweep, kind)
    except Http404:
        raise
    except Exception:
        log.exception("the chart %s of %s cannot be drawn", kind, sweep.name)
        return b""
    return json.dumps(f"chart-{kind}").encode() + b":" + drawn


def _parts(
    request: HttpRequest, sweep: Sweep, seen: Moment, tab: str
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The tab's context and its fragments."""
    if tab == "overview":
        context, own = overview_context(request, sweep, seen), _OVERVIEW
    elif tab == "trials":
        context, own = trials_context(request, sweep, seen), _TRIALS
    else:
        context, own = job_context(request, sweep, tab, seen), {}
    return context, {**_ALWAYS, **own, **(_SELECTED if tab in FILTERED else {})}


def _take_own_words(request: HttpRequest) -> tuple[str, tuple[str, ...]]:
    """The tab that asks and the charts that it wants; what is left of the query is the page's own,
    for the links in it."""
    query = request.GET.copy()
    query.pop("since", None)
    query.pop("around", None)
    [*_, tab] = query.pop("tab", ["overview"])
    [*_, wanted] = query.pop("charts", [""])
    request.GET = query  # type: ignore[assignment]
    return tab, tuple(kind for kind in wanted.split(",") if kind in KINDS)
