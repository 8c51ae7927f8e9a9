"""From the fields of the filter form to the address that filters so."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sweeps.domain.filtering import narrowed
from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import WORDS, write_selection
from sweeps.views.job import sweep_for, trials_context
from sweeps.views.selection import selection_of

TYPED = ("key", "low", "high", "word", "missing")


@require_safe
def narrow(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """To the table with one more filter; what makes none is told beside what was typed.

    Asked for as a fragment (X-Fragment), the address is told in X-Query instead; without one the
    answer is the form with what is wrong in it.
    """
    sweep = sweep_for(request, ws, name)
    query = request.GET.copy()
    typed = {field: query.pop(field, [""])[-1] for field in TYPED}
    query.pop("page", None)
    request.GET = query  # type: ignore[assignment]
    fragment = bool(request.headers.get("X-Fragment"))
    try:
        selection = selection_of(request)
        words = write_selection(narrowed(selection, typed) if typed["key"] else selection)
    except InvalidInput as error:
        wrong = {problem.field: problem.message for problem in error.problems}
        context = trials_context(request, sweep) | {"typed": typed, "wrong": wrong}
        template = "sweeps/job/_narrow.html" if fragment else "sweeps/job/trials.html"
        return render(request, template, context, status=200 if fragment else 422)
    others = [(w, value) for w, values in query.lists() for value in values if w not in WORDS]
    address = "?" + urlencode([*words, *others])
    if fragment:
        return HttpResponse(headers={"X-Query": address})
    return redirect(f"{reverse('sweep_trials', args=[ws, name])}{address}")
