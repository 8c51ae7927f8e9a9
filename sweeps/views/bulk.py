"""One change to many trials: those that are ticked, or all that the selection keeps."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from studio.models import Role
from sweeps.domain.marks import split_tags
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.trial_table import matching
from sweeps.services.bulk import MOST_AT_ONCE, cancel_trials, rerun_trials
from sweeps.services.marks import pin_trials, tag_trials
from sweeps.views.control import queued_again, wake
from sweeps.views.job import sweep_for
from sweeps.views.selection import selection_of

Numbers = Sequence[int]
_TABS = {"overview": "sweep", "trials": "sweep_trials", "charts": "sweep_charts"}


@require_POST
def bulk(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Do `verb` to the trials `t` of the address, or with scope "all" to all that it shows."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    selection = selection_of(request)
    everything = request.POST.get("scope") == "all"
    numbers = matching(sweep, selection).tolist() if everything else list(selection.picked)
    act = _VERBS.get(request.POST.get("verb", ""))
    try:
        if act is None:
            raise InvalidInput.one("verb", "Nothing of that kind can be done to trials.")
        if not numbers:
            raise InvalidInput.one("t", "Tick at least one trial.")
        messages.success(request, act(request, sweep, numbers))
    except InvalidInput as error:
        messages.warning(request, error.problems[0].message)
    route = _TABS.get(request.POST.get("tab", ""), "sweep_trials")
    query = request.GET.urlencode()
    return redirect(f"{reverse(route, args=[ws, name])}{f'?{query}' if query else ''}")


def _who_and_when(request: HttpRequest) -> tuple[str, datetime]:
    return str(request.user), database_now()


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count:,} trials"


def _done(count: int, asked: int, done: str, left: str) -> str:
    """How many were done, and why the others were not."""
    if not count:
        return f"Nothing is changed: {_trials(asked)} {'was' if asked == 1 else 'were'} {left}."
    words = f"{_trials(count)} {'is' if count == 1 else 'are'} {done}."
    rest = asked - count
    return f"{words} {rest:,} {'was' if rest == 1 else 'were'} {left}." if rest else words


def _pin(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    count = pin_trials(sweep, numbers, pinned=True)
    return _done(count, len(numbers), "pinned", "pinned already")


def _unpin(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    count = pin_trials(sweep, numbers, pinned=False)
    return _done(count, len(numbers), "no longer pinned", "not pinned")


def _tags(request: HttpRequest) -> tuple[str, ...]:
    tags = split_tags(request.POST.get("tag", "").replace("\0", ""))
    if not tags:
        raise InvalidInput.one("tag", "Type a tag first.")
    return tags


def _tag(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    tags = _tags(request)
    count = tag_trials(sweep, numbers, add=tags)
    return _done(count, len(numbers), f"tagged {', '.join(tags)}", "tagged so already")


def _untag(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    tags = _tags(request)
    count = tag_trials(sweep, numbers, remove=tags)
    return _done(count, len(numbers), f"without {', '.join(tags)} now", "not tagged so")


def _rerun(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    actor, now = _who_and_when(request)
    again = rerun_trials(sweep, numbers, actor=actor, now=now)
    if not again:
        raise InvalidInput.one("t", "None of these ended without completing: nothing to run again.")
    sweep.refresh_from_db()
    wake(sweep, again)
    rest = len(numbers) - len(again)
    left = f" {rest:,} {'was' if rest == 1 else 'were'} left out: completed, or not over yet."
    return queued_again(sweep, len(again)) + _cut(len(again), left if rest else "")


def _cancel(request: HttpRequest, sweep: Sweep, numbers: Numbers) -> str:
    actor, now = _who_and_when(request)
    count = cancel_trials(sweep, numbers, actor=actor, now=now)
    if not count:
        raise InvalidInput.one("t", "None of these runs or waits: nothing to cancel.")
    wake(sweep, ())
    return _cut(count, _done(count, len(numbers), "canceled", "over already"))


def _cut(count: int, text: str) -> str:
    if count < MOST_AT_ONCE:
        return text
    return f"{text} These were the first {MOST_AT_ONCE:,}; press again for more."


_VERBS: Mapping[str, Callable[[HttpRequest, Sweep, Numbers], str]] = {
    "pin": _pin,
    "unpin": _unpin,
    "tag": _tag,
    "untag": _untag,
    "rerun": _rerun,
    "cancel": _cancel,
}
