"""What people do to a sweep: pause, resume, stop, cancel, run failed trials again."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from studio.models import Role
from sweeps import tasks
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import Desired
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.services import control, trials
from sweeps.views.job import sweep_for

# The tabs of the job page: from where a button was pressed, and where the person goes on.
TABS = ("trials", "charts", "compare", "logs", "config")


def _view(service: Callable[..., bool]) -> Callable[..., HttpResponse]:
    """A view that does what a service does; where it was done before, it shows the state."""

    @require_POST
    def view(request: HttpRequest, ws: str, name: str) -> HttpResponse:
        sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
        try:
            service(sweep, actor=str(request.user), now=database_now())
        except InvalidInput as error:
            messages.warning(request, error.problems[0].message)
        tasks.advance_sweep(sweep.pk)
        return back(request, sweep)

    return view


pause = _view(control.pause_sweep)
resume = _view(control.resume_sweep)
stop = _view(control.stop_sweep)
cancel = _view(control.cancel_sweep)


@require_POST
def rerun_failed(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Queue the failed trials again, all of them or those of one signature."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    signature = request.POST.get("signature")
    if signature is not None:
        signature = signature.replace("\0", "")  # PostgreSQL refuses NUL in any text
    try:
        again = trials.rerun_failed(
            sweep, actor=str(request.user), now=database_now(), signature=signature
        )
    except InvalidInput as error:
        messages.warning(request, error.problems[0].message)
        return back(request, sweep)
    if again:
        messages.success(request, queued_again(sweep, len(again)))
    wake(sweep, again)
    return back(request, sweep)


def queued_again(sweep: Sweep, count: int) -> str:
    """What to say of trials that were queued again."""
    words = "1 trial is" if count == 1 else f"{count:,} trials are"
    if sweep.desired != Desired.PAUSE:
        return f"{words} queued again."
    return f"{words} queued again: resume the sweep to start {'it' if count == 1 else 'them'}."


def wake(sweep: Sweep, queued: Sequence[int]) -> None:
    """Tell the queue of trials that were queued: as many as may run at once, the rest follow."""
    for trial_id in queued[: sweep.max_concurrent_trials]:
        tasks.run_trial(trial_id)
    tasks.advance_sweep(sweep.pk)


def back(request: HttpRequest, sweep: Sweep) -> HttpResponse:
    """To the tab that the person was on."""
    tab = request.POST.get("tab", "")
    if tab not in TABS:
        return redirect(sweep)
    return redirect(f"sweep_{tab}", ws=sweep.workspace.name, name=sweep.name)
