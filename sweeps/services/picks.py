"""Trials whose point a person picked."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from sweeps.domain.limits import MAX_TOTAL_TRIALS, values_problem
from sweeps.domain.picks import checked_point
from sweeps.domain.problems import InvalidInput
from sweeps.domain.samplers.base import Suggestion
from sweeps.domain.space import ParamValue
from sweeps.domain.states import Desired, SweepStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.records import sampling_of, space_of
from sweeps.queries.trials import parameter_columns
from sweeps.services.control import begin, revive
from sweeps.services.edits import record_revision
from sweeps.services.noting import noted_trial
from sweeps.services.room import require_in_use
from sweeps.services.state import lock
from sweeps.services.sweeps import insert_trial


def add_trial(
    sweep: Sweep,
    params: Mapping[str, ParamValue],
    *,
    actor: str,
    now: datetime,
    ticket: str = "",
) -> Trial:
    """Queue one more trial at a point that a person picked; it comes next.

    It counts as one of the sweep's trials; where those are used up, the total grows by one, as a
    recorded edit. An ended sweep comes back for it. The same `ticket` again (a double click) gives
    the same trial. Raises InvalidInput for a point outside the
    search space, or when the sweep is being ended or its workspace archived.
    """
    logbase = sampling_of(sweep).logbase
    point = Suggestion(checked_point(space_of(sweep), params, logbase), {})
    with transaction.atomic():
        lock(sweep.pk)
        sweep.refresh_from_db()
        if ticket and (made := sweep.trials.filter(ticket=ticket).first()):
            return made
        require_in_use(sweep.workspace_id)
        is_final = SweepStatus(sweep.status).is_final
        if not is_final and sweep.desired in (Desired.STOP, Desired.CANCEL):
            raise InvalidInput.conflict("The sweep is being ended; wait until it is over.")
        if sweep.planned < min(len(sweep.first_trials), sweep.max_total_trials):
            text = "The sweep's own first trials come first: try again once it has begun."
            raise InvalidInput.conflict(text)
        number = sweep.planned
        if is_final:
            # For this trial alone: a cancelled sweep draws no further points because of it.
            revive(sweep, actor=actor, now=now, exhausted=True)
        elif sweep.status == SweepStatus.QUEUED:
            begin(sweep, now)
        if number >= sweep.max_total_trials:
            _grow(sweep, actor, now)
        Sweep.objects.filter(pk=sweep.pk).update(planned=number + 1)
        sweep.planned = number + 1
        trial = insert_trial(sweep, number, point, now, actor, ticket)
        noted_trial("added", trial, True, {"params": (None, dict(point.params))})
        return trial


def _grow(sweep: Sweep, actor: str, now: datetime) -> None:
    total = sweep.max_total_trials
    if total >= MAX_TOTAL_TRIALS:
        raise InvalidInput.conflict(f"A sweep has {MAX_TOTAL_TRIALS:,} trials at most.")
    if problem := values_problem(total + 1, len(parameter_columns(sweep))):
        raise InvalidInput.conflict(problem.message)
    record_revision(sweep, {"max_total_trials": (total, total + 1)}, actor, now)
    Sweep.objects.filter(pk=sweep.pk).update(max_total_trials=total + 1)
    sweep.max_total_trials = total + 1
