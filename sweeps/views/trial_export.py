"""Trials as files: those on screen with their columns, or all; row by row, so that any number is
sent at once."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from sweeps.api import shapes, trial_shapes
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep
from sweeps.queries.export import batches_of, trials_csv
from sweeps.queries.table_columns import all_columns, chosen
from sweeps.queries.trial_table import best_order, matching
from sweeps.views.job import sweep_for
from sweeps.views.selection import selection_of
from sweeps.views.table import columns_asked


def _numbers(request: HttpRequest, sweep: Sweep) -> list[int]:
    """The trials that the table's pages show, in its order."""
    try:
        numbers = matching(sweep, selection_of(request), request.GET.get("sort", ""))
    except InvalidInput as error:
        raise Http404(str(error)) from error
    return [int(number) for number in numbers]


def _file(lines: Iterator[str], kind: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def as_csv(request: HttpRequest, ws: str, name: str) -> StreamingHttpResponse:
    """The trials of the selection in the table's order and with its columns; `all=1`: everything
    of all."""
    sweep = sweep_for(request, ws, name)
    kind = "text/csv; charset=utf-8"
    if request.GET.get("all"):
        return _file(trials_csv(sweep), kind, f"{sweep.name}-trials.csv")
    columns = chosen(all_columns(sweep, best_order(sweep)), columns_asked(request))
    keys = ["number", "status", *(column.key for column in columns), "pinned", "tags", "reason"]
    lines = trials_csv(sweep, _numbers(request, sweep), keys)
    return _file(lines, kind, f"{sweep.name}-selection.csv")


@require_safe
def as_json(request: HttpRequest, ws: str, name: str) -> StreamingHttpResponse:
    """The same trials as REST tells them, in one list of `items`."""
    sweep = sweep_for(request, ws, name)
    everything = bool(request.GET.get("all"))
    numbers = list(range(sweep.planned)) if everything else _numbers(request, sweep)
    which = "trials" if everything else "selection"
    return _file(_items(sweep, numbers), "application/json", f"{sweep.name}-{which}.json")


def _items(sweep: Sweep, numbers: list[int]) -> Iterator[str]:
    start = '{"items": ['
    for trials in batches_of(sweep, numbers):
        found = trial_shapes.trials_out(trials, sweep)
        text = ", ".join(shapes.TrialOut.model_validate(item).model_dump_json() for item in found)
        if text:
            yield start + text
            start = ", "
    yield ("" if start == ", " else start) + '], "next_cursor": null}'
