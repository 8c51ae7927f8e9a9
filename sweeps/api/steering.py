"""Steering sweeps and trials while they run, and afterwards.

Each operation authorizes, asks one service, wakes the queue after its commit, and answers with
the new state; asking for the same again changes nothing and gives the same answer.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from ninja import Status

from studio.models import Role
from sweeps import intake, tasks
from sweeps.api import bodies, shapes, trial_shapes
from sweeps.api.auth import token_of
from sweeps.api.etags import check_match
from sweeps.api.intake import read_json
from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.once import ticket_of

# The same router: ninja looks for an address, with all its methods, in one of them.
from sweeps.api.operations import router
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page, page_of
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep, TerminationDecision, Trial
from sweeps.queries import failure_groups, spec_of
from sweeps.queries.clock import database_now
from sweeps.services import control, deletion, edits, picks, trials
from sweeps.spec.edits import placed, read_edit, read_point

SWEEP = "/workspaces/{ws}/sweeps/{name}"
TRIAL = f"{SWEEP}/trials/{{int:number}}"


def _actor(request: HttpRequest) -> str:
    return str(token_of(request).user)


def _steer(request: HttpRequest, ws: str, name: str, act: Callable[..., object]) -> Any:
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    act(sweep, actor=_actor(request), now=database_now())
    return _woken(sweep)


def _woken(sweep: Sweep) -> Any:
    """The sweep as it is now, once somebody looks what follows from the change."""
    tasks.advance_sweep(sweep.pk)
    sweep.refresh_from_db()
    return shapes.sweep_out(sweep)


@router.post(f"{SWEEP}/pause", response=shapes.SweepOut)
def pause_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Let running trials finish and start none until it is resumed."""
    return _steer(request, ws, name, control.pause_sweep)


@router.post(f"{SWEEP}/resume", response=shapes.SweepOut)
def resume_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Go on after a pause; failures so far no longer count for the next one."""
    return _steer(request, ws, name, control.resume_sweep)


@router.post(f"{SWEEP}/stop", response=shapes.SweepOut)
def stop_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Let running trials finish, start no more, then end with what there is."""
    return _steer(request, ws, name, control.stop_sweep)


@router.post(f"{SWEEP}/cancel", response=shapes.SweepOut)
def cancel_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Kill running trials now and start no more."""
    return _steer(request, ws, name, control.cancel_sweep)


@router.post(f"{SWEEP}/clone", response=shapes.SweepOut, openapi_extra=bodies.CLONE)
def clone_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Submit the same job and code again as a new sweep, which is the answer."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    wanted = bodies.read_texts(read_json(request, optional=True), ("name", "display_name"))
    job = replace(
        spec_of.job_of(sweep),
        name=wanted.get("name") or None,
        display_name=wanted.get("display_name", sweep.display_name),
        notes=(f"Cloned from {sweep.name}.",),
    )
    user, rng = token_of(request).user, random.SystemRandom()
    now = database_now()
    clone = intake.submit(
        sweep.workspace,
        job,
        code=sweep.code,
        user=user,
        now=now,
        rng=rng,
        ticket=ticket_of(request),
    )
    return _woken(clone)


@router.patch(SWEEP, response=shapes.SweepOut, openapi_extra=bodies.EDIT)
def edit_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Change limits, rules and texts of a sweep, also while it runs; more trials revive it.

    What is not named stays. null removes a policy, a rule, a tag or the trial timeout.
    """
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    doc = read_json(request)
    # First what is wrong with the document itself, which knows the paths of its fields.
    read_edit(doc, edits.current(sweep))

    def checked(present: Any) -> Any:
        check_match(request, sweep)
        return read_edit(doc, present)

    try:
        edits.merge_into(
            sweep,
            checked,
            actor=_actor(request),
            now=database_now(),
        )
    except InvalidInput as error:
        raise InvalidInput(placed(error.problems)) from error
    return _woken(sweep)


@router.delete(SWEEP, response={204: None})
def delete_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """Delete an ended sweep with its trials and folders, for owners; its runs in MLflow stay."""
    sweep = sweep_of(request, ws, name, Role.OWNER)
    deletion.delete_sweep(sweep, database_now())
    intake.forget_trials(sweep)
    return Status(204, None)


@router.get(f"{SWEEP}/revisions", response=Page[shapes.RevisionOut])
def list_revisions(
    request: HttpRequest, ws: str, name: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Edits of the sweep, oldest first."""
    sweep = sweep_of(request, ws, name)
    return page(
        sweep.revisions.order_by("number"), Order("number"), shapes.revisions_out, limit, cursor
    )


@router.get(f"{SWEEP}/failures", response=Page[shapes.FailureOut])
def list_failures(
    request: HttpRequest, ws: str, name: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Failed, lost and timed-out trials by what they have in common, the largest group first."""
    sweep = sweep_of(request, ws, name)
    return page_of(
        failure_groups.groups(sweep),
        lambda group: (-group.count, group.signature),
        shapes.failures_out,
        limit,
        cursor,
    )


@router.post(f"{SWEEP}/trials", response={201: shapes.TrialOut}, openapi_extra=bodies.POINT)
def add_trial(request: HttpRequest, ws: str, name: str) -> Any:
    """Try this point next. The total grows where it is used up; an ended sweep comes back."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    point = read_point(read_json(request))
    try:
        trial = picks.add_trial(
            sweep, point, actor=_actor(request), now=database_now(), ticket=ticket_of(request)
        )
    except InvalidInput as error:
        raise InvalidInput(
            problem if problem.code == "conflict" else problem.under("params")
            for problem in error.problems
        ) from error
    tasks.advance_sweep(sweep.pk)
    tasks.run_trial(trial.pk)
    return Status(201, _shown(trial, sweep))


@router.post(f"{SWEEP}/trials/rerun", response=shapes.RerunOut, openapi_extra=bodies.RERUN)
def rerun_failed(request: HttpRequest, ws: str, name: str) -> Any:
    """Run all failed, lost and timed-out trials again, or those of one signature."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    wanted = bodies.read_texts(read_json(request, optional=True), ("signature",))
    found = trials.rerun_failed(
        sweep, actor=_actor(request), now=database_now(), signature=wanted.get("signature")
    )
    for trial_id in found[: sweep.max_concurrent_trials]:
        tasks.run_trial(trial_id)
    numbers = Trial.objects.filter(sweep=sweep, pk__in=found).order_by("number")
    return {"rerun": list(numbers.values_list("number", flat=True)), "sweep": _woken(sweep)}


@router.post(f"{TRIAL}/cancel", response=shapes.TrialOut)
def cancel_trial(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """Kill one trial."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    trial = trial_of(sweep, number)
    trials.cancel_trial(trial, actor=_actor(request), now=database_now())
    return _shown(trial, sweep)


@router.post(f"{TRIAL}/rerun", response=shapes.TrialOut)
def rerun_trial(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """A new attempt of an ended trial that did not complete."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    trial = trial_of(sweep, number)
    trials.rerun_trial(trial, actor=_actor(request), now=database_now())
    tasks.run_trial(trial.pk)
    return _shown(trial, sweep)


@router.get(f"{TRIAL}/decisions", response=Page[shapes.DecisionOut])
def list_decisions(
    request: HttpRequest,
    ws: str,
    name: str,
    number: int,
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> Any:
    """What early termination decided of the trial, by attempt and report, with the numbers."""
    trial = trial_of(sweep_of(request, ws, name), number)
    rows = TerminationDecision.objects.filter(attempt__trial=trial).select_related("attempt")
    order = Order("report", "attempt__number")
    rows = rows.order_by("attempt__number", "report")
    return page(rows, order, shapes.decisions_out, limit, cursor)


def _shown(trial: Trial, sweep: Sweep) -> Any:
    trial.refresh_from_db()
    sweep.refresh_from_db()
    return trial_shapes.trials_out([trial], sweep)[0]
