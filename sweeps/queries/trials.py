"""Lists of trials: order, filter, page. One way for the tables, the REST API and exports."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import BaseExpression
from django.db.models.fields.json import KeyTransform

from sweeps.domain.problems import InvalidInput
from sweeps.domain.records import MetricPoint as MetricRecord
from sweeps.domain.selection import read_selection
from sweeps.domain.space import columns
from sweeps.models import MetricPoint, MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.records import space_of

PLAIN_ORDERS = ("objective", "number", "started_at", "duration_s", "status")
# Columns of a file with everything: as many metrics as one trial may have.
MOST_NAMES = 10_000
_ORDER = re.compile(
    r"(?P<down>-?)(?P<what>objective|number|started_at|duration_s|status|params|metrics)"
    r"(?:\.(?P<name>[^\x00]+))?"
)


def ordered(trials: QuerySet[Trial], order_by: str) -> QuerySet[Trial]:
    """`trials` by `[-]objective|number|started_at|duration_s|status|params.<x>|metrics.<x>`.

    Missing values come last in either direction; equals by number. Each row has what it is sorted
    by as `order_key`. Raises InvalidInput for
    anything else.
    """
    what, name, down = order_parts(order_by)
    rows = trials.annotate(order_key=_key(what, name))
    key = F("order_key")
    way = key.desc(nulls_last=True) if down else key.asc(nulls_last=True)
    return rows.order_by(way, "number")


def order_parts(order_by: str) -> tuple[str, str | None, bool]:
    """What to sort by, its name, and whether the largest comes first. Raises InvalidInput."""
    found = _ORDER.fullmatch(order_by)
    if not found or (found["what"] in ("params", "metrics")) != bool(found["name"]):
        allowed = ", ".join((*PLAIN_ORDERS, "params.<name>", "metrics.<name>"))
        raise InvalidInput.one("order_by", f"Must be one of {allowed}, or - and one of them.")
    return found["what"], found["name"], bool(found["down"])


def _key(what: str, name: str | None) -> F | BaseExpression:
    if what == "params":
        return KeyTransform(name, "flat_params")
    if what == "metrics":
        last = MetricSummary.objects.filter(trial=OuterRef("pk"), name=name).values("last")
        return Subquery(last[:1], output_field=FloatField())
    if what == "duration_s":
        return F("ended_at") - F("started_at")
    return F(what)


def in_statuses(trials: QuerySet[Trial], statuses: Sequence[str]) -> QuerySet[Trial]:
    """Those of `trials` in one of `statuses`, none given = all.

    Raises InvalidInput for an unknown status.
    """
    asked = read_selection(("status", status) for status in statuses).statuses
    return trials.filter(status__in=asked) if asked else trials


def storable(text: str) -> str:
    """PostgreSQL refuses NUL in any text."""
    return text.replace("\x00", "")


def metric_names(sweep: Sweep) -> list[str]:
    """The metrics that trials of the sweep logged, MOST_NAMES at most, the primary one first."""
    logged = MetricSummary.objects.filter(trial__sweep=sweep)
    primary = [name for name in (sweep.primary_metric,) if logged.filter(name=name).exists()]
    others = logged.exclude(name=sweep.primary_metric).order_by("name")
    return [*primary, *others.values_list("name", flat=True).distinct()[:MOST_NAMES]]


def parameter_columns(sweep: Sweep) -> list[str]:
    """Dotted names of the sweep's parameters, in the order in which they were written."""
    return columns(space_of(sweep))


def last_metrics(trials: Iterable[Trial]) -> dict[int, dict[str, float]]:
    """By trial id: the last value of each of its metrics (also NaN and infinities)."""
    found: dict[int, dict[str, float]] = {}
    rows = MetricSummary.objects.filter(trial__in=[trial.pk for trial in trials])
    for row in rows.order_by("name"):
        found.setdefault(row.trial_id, {})[row.name] = from_columns(row.last, row.kind)
    return found


def point_rows(trial: Trial, names: Sequence[str] = ()) -> QuerySet[MetricPoint]:
    """Everything the trial's newest attempt logged, by name and report, to be read in pieces."""
    points = MetricPoint.objects.filter(attempt__trial=trial, attempt__number=trial.attempt)
    if names:
        points = points.filter(name__in=names)
    return points.order_by("name", "report")


# A chart draws some hundred points; of a longer curve the database picks every so-manieth.
MOST_POINTS = 4_000


def metric_points(trial: Trial, names: Sequence[str]) -> list[MetricRecord]:
    """What charts draw of these metrics: every value, or evenly chosen ones of a long curve."""
    found: list[MetricRecord] = []
    for name in sorted(names):
        found += curves([trial], name)[trial.number]
    return found


def _thinned(points: QuerySet[MetricPoint], trials: Sequence[Trial], name: str, most: int) -> Any:
    """Every so-manieth point, and of each curve the first, the last and the best."""
    summaries = MetricSummary.objects.filter(trial__in=[trial.pk for trial in trials], name=name)
    counts = set(summaries.values_list("count", flat=True))
    step = -(-max(counts, default=0) // most)
    if step <= 1:
        return points
    ends = Q(report__in=[1, *counts]) | Q(report=F("attempt__trial__best_report"))
    return points.annotate(rest=F("report") % step).filter(Q(rest=0) | ends)


def curves(
    trials: Sequence[Trial], name: str, most: int = MOST_POINTS
) -> dict[int, list[MetricRecord]]:
    """By trial number: the values of one metric in the newest attempt of each trial, of long ones
    about `most`, evenly chosen."""
    found: dict[int, list[MetricRecord]] = {trial.number: [] for trial in trials}
    rows = MetricPoint.objects.filter(
        name=name,
        attempt__trial__in=[trial.pk for trial in trials],
        attempt__number=F("attempt__trial__attempt"),
    )
    fields = ("attempt__trial__number", "report", "step", "value", "kind", "timestamp_ms")
    drawn = _thinned(rows, trials, name, most).order_by("report")
    for number, report, step, value, kind, at in drawn.values_list(*fields):
        found[number].append(MetricRecord(name, report, step, from_columns(value, kind), at))
    return found
