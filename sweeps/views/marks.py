"""A pin, tags and a note on one trial."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from studio.models import Role
from sweeps.domain.marks import split_tags
from sweeps.domain.problems import InvalidInput
from sweeps.services.marks import mark_trial
from sweeps.views import trial as trials
from sweeps.views.job import sweep_for


@require_POST
def mark(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """Set what is sent: `pinned` ("1" or ""), `tags` (with commas between), `note`."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    found = trials.trial_or_404(sweep, number)
    sent = request.POST
    try:
        mark_trial(
            found,
            pinned=bool(sent["pinned"]) if "pinned" in sent else None,
            tags=split_tags(sent["tags"].replace("\0", "")) if "tags" in sent else None,
            note=sent.get("note"),
        )
    except InvalidInput as error:
        typed = {"typed": sent, "wrong": {p.field: p.message for p in error.problems}}
        context = trials.page_context(request, sweep, found) | typed
        return render(request, "sweeps/trial/trial.html", context, status=422)
    if "note" in sent:
        messages.success(request, "Saved.")
    return redirect("trial", ws=ws, name=name, number=number)
