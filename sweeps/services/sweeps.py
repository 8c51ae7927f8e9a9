"""Creating and advancing sweeps."""

import json
import logging
import random
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from studio import audit
from studio.models import Compute, User, Workspace
from sweeps.domain.environments import THE_COMPUTES, Chosen
from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.naming import new_name
from sweeps.domain.planner import (
    Action,
    AddTrials,
    FinishSweep,
    PauseSweep,
    StopSweep,
    StopTrials,
    plan,
)
from sweeps.domain.problems import InvalidInput
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.base import Exhausted, Sampler, Suggestion, SuggestRequest
from sweeps.domain.samplers.known import Known
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import flatten
from sweeps.domain.space_doc import space_to_doc
from sweeps.domain.states import LIVE_SWEEP, Desired, PausedBy, SweepStatus, TrialStatus
from sweeps.domain.wording import shown
from sweeps.models import DEFAULT_EXPERIMENT, CodeSnapshot, StateChange, Sweep, Trial
from sweeps.queries import records
from sweeps.queries.endings import ran_out
from sweeps.queries.known import known_of
from sweeps.queries.prepared import Prepared
from sweeps.queries.snapshot import snapshot
from sweeps.services import control, rows
from sweeps.services.documents import early_doc, said
from sweeps.services.environments import build_of
from sweeps.services.fetches import plan_fetches
from sweeps.services.room import require_room
from sweeps.services.state import bump, lock, move_sweep, note_exhausted

log = logging.getLogger(__name__)


def create_sweep(
    workspace: Workspace,
    job: SweepJob,
    *,
    compute: Compute,
    code: CodeSnapshot | None,
    user: User | None,
    now: datetime,
    rng: random.Random,
    chosen: Chosen = THE_COMPUTES,
    notes: tuple[str, ...] = (),
    is_dry_run: bool = False,
    ticket: str = "",
) -> Sweep:
    """Save a checked job as a queued sweep; the same `ticket` again gives the same sweep.

    `chosen` is the Python of its trials. Raises InvalidInput when the name is taken in the
    workspace, or the workspace has no room for another sweep.
    """
    if made := _made_before(workspace, ticket):
        return made
    require_room(workspace)
    sweep = Sweep(
        workspace=workspace,
        name=job.name or new_name(rng),
        compute=compute,
        code=code,
        git=dict(code.git) if code else {},
        notes=[*job.notes, *notes, *chosen.notes],
        environment_name=chosen.name,
        interpreter=chosen.python,
        packages=list(chosen.packages),
        seed=rng.randrange(2**31) if job.sampling.seed is None else job.sampling.seed,
        is_dry_run=is_dry_run,
        ticket=ticket,
        created_by=user,
        created_at=now,
        **_columns(job),
    )
    try:
        with transaction.atomic():
            if chosen.recipe:
                build = build_of(chosen.recipe, now)
                sweep.environment_build = build
                sweep.notes += build.notes
            sweep.save(force_insert=True)
            plan_fetches(sweep, job, now)
            StateChange.objects.create(
                sweep=sweep, after=SweepStatus.QUEUED, actor=str(user or "studio"), at=now
            )
            _note_new(sweep)
    except IntegrityError as error:
        return _made_meanwhile(sweep, error)
    return sweep


def _made_meanwhile(sweep: Sweep, error: IntegrityError) -> Sweep:
    """What the same request has made. Raises InvalidInput where only the name is the same."""
    if made := _made_before(sweep.workspace, sweep.ticket):
        return made
    if not Sweep.objects.filter(workspace=sweep.workspace, name=sweep.name).exists():
        raise error
    raise InvalidInput.one(
        "name",
        f"There is a sweep {shown(sweep.name)} in this workspace already; choose another "
        "name, or leave it out.",
    ) from error


def _note_new(sweep: Sweep) -> None:
    verb = "tried out" if sweep.is_dry_run else "submitted"
    given = audit.made(
        display_name=sweep.display_name,
        compute=sweep.compute.name,
        algorithm=sweep.sampling["algorithm"],
        max_total_trials=sweep.max_total_trials,
        code=sweep.code.digest if sweep.code else None,
    )
    audit.note(verb, "sweep", sweep.name, workspace=sweep.workspace_id, changes=given)


def _made_before(workspace: Workspace, ticket: str) -> Sweep | None:
    """What an earlier request with this ticket made: the second click of a double click."""
    return Sweep.objects.filter(workspace=workspace, ticket=ticket).first() if ticket else None


def _columns(job: SweepJob) -> dict[str, Any]:
    """The columns that say what the job says."""
    return {
        "display_name": job.display_name,
        "description": job.description,
        "experiment_name": job.experiment_name or DEFAULT_EXPERIMENT,
        "asked_compute": job.compute or "",
        "tags": dict(job.tags),
        "properties": dict(job.properties),
        "command": job.command,
        "search_space": space_to_doc(job.search_space),
        "sampling": asdict(job.sampling),
        "primary_metric": job.objective.primary_metric,
        "goal": job.objective.goal,
        "inputs": _inputs(job),
        "outputs": {key: asdict(output) for key, output in job.outputs.items()},
        "environment": job.environment,
        "environment_variables": dict(job.environment_variables),
        "early_termination": early_doc(job.early_termination),
        "stop_rules": said(job.stop_rules),
        "failure_policy": said(job.failure_policy),
        "logged_models": job.logged_models.value,
        "first_trials": [dict(point) for point in job.first_trials],
        "warm_start": [{"params": dict(w.params), "value": w.value} for w in job.warm_start],
        "preload": job.preload,
        "max_total_trials": job.limits.max_total_trials,
        "max_concurrent_trials": job.limits.max_concurrent_trials,
        "timeout_s": job.limits.timeout,
        "trial_timeout_s": job.limits.trial_timeout,
    }


def _inputs(job: SweepJob) -> dict[str, Any]:
    return {
        name: asdict(value) if isinstance(value, DataInput) else value
        for name, value in job.inputs.items()
    }


@dataclass(frozen=True, slots=True)
class Advance:
    """What `advance` did: ids of new trials, whether it changed the sweep, whether it is final.

    With `more` there is room for further trials, which would have taken too long for one step.
    """

    trials: tuple[int, ...] = ()
    changed: bool = False
    finished: bool = False
    more: bool = False


# A step draws points for so long, and makes so many trials; a draw among 10,000 trials takes 0.2 s.
DRAW_S, MOST_AT_ONCE = 0.3, 100


# What planning does not look at: half of the columns, and the longest.
_UNREAD = (
    "display_name", "description", "experiment_name", "tags", "properties", "notes", "command",
    "asked_compute", "git", "inputs", "outputs", "environment", "environment_variables",
    "environment_name", "interpreter", "packages", "run_closed",
    "compute__name", "compute__description", "compute__python", "compute__environment_variables",
    "compute__is_default", "compute__created_at", "compute__kind",
)  # fmt: skip


@Prepared
def _to_advance(sweep_id: Any) -> QuerySet[Sweep, Sweep]:
    rows = Sweep.objects.select_related("compute").defer(*_UNREAD)
    return rows.filter(pk=sweep_id).order_by()


def to_advance(sweep_id: int) -> Sweep | None:
    """The sweep with what `advance` needs of it; None when there is no such sweep."""
    return _to_advance.first(sweep_id)


def advance(sweep_id: int, now: datetime, sweep: Sweep | None = None) -> Advance:
    """Take a sweep one step further; `sweep`, if given, was just read by `to_advance`.

    Points are drawn outside the write transaction; the compare-and-set on `planned` makes sure
    that they are the next ones, so that two callers never both add trial 7.
    """
    sweep = sweep or to_advance(sweep_id)
    assert sweep is not None, "sweeps are never deleted while anybody knows their id"
    action = plan(snapshot(sweep, now), now)
    if isinstance(action, AddTrials):
        try:
            return _add_trials(sweep, action.count, now)
        except SamplerFailed as error:
            return Advance(changed=control.end_now(sweep, str(error), now=now))
    if action is None:
        return Advance()
    with transaction.atomic():
        lock(sweep_id)
        sweep = to_advance(sweep_id)
        # What was seen without the lock may hold no more: somebody has added a trial, say.
        if sweep is None or plan(snapshot(sweep, now), now) != action:
            return Advance()
        return _turn(sweep, action, now)


def _turn(sweep: Sweep, action: Action, now: datetime) -> Advance:
    """Do what ends or halts a sweep. Call in a transaction, with the sweep locked."""
    try:
        match action:
            case StopTrials(reason):
                return Advance(changed=control.end_now(sweep, reason, now=now))
            case StopSweep(reason):
                stopped = control.stop_sweep(sweep, actor="studio", now=now, reason=reason)
                return Advance(changed=stopped)
            case PauseSweep(reason):
                by, actor = PausedBy.BREAKER, "studio"
                paused = control.pause_sweep(sweep, actor=actor, now=now, by=by, reason=reason)
                return Advance(changed=paused)
            case FinishSweep(status, reason):
                return Advance(finished=_finish(sweep, status, reason, now))
    except InvalidInput as error:
        log.info("sweep %s went another way: %s", sweep.name, error)
    return Advance()


def _finish(sweep: Sweep, status: SweepStatus, reason: str, now: datetime) -> bool:
    over: dict[str, Any] = {}
    if sweep.desired == Desired.PAUSE:
        over = {"desired": Desired.RUN, "paused_by": ""}
    if sweep.exhausted:  # or it only drew no further points, having come back for a single trial
        over["exhausted"] = bool(ran_out(sweep))
    return move_sweep(sweep, status, now, reason=reason, **over)


def _add_trials(sweep: Sweep, count: int, now: datetime) -> Advance:
    # What people want tried first is queued at once: no later pick may take its numbers.
    firsts = min(len(sweep.first_trials), sweep.max_total_trials) - sweep.planned
    suggestions, exhausted = _suggest(sweep, max(count, firsts))
    more = exhausted is None and len(suggestions) < count
    with transaction.atomic():
        going = Sweep.objects.filter(
            pk=sweep.pk,
            planned=sweep.planned,
            desired=Desired.RUN,
            status__in=LIVE_SWEEP,
            max_total_trials__gte=sweep.planned + len(suggestions),
        )
        if not going.update(planned=F("planned") + len(suggestions)):
            return Advance()
        if sweep.status == SweepStatus.QUEUED and suggestions:
            control.begin(sweep, now, sweep.reason)
        if exhausted:
            note_exhausted(sweep, _sentence(exhausted.reason), now)
        picker = str(sweep.created_by or "the job") if firsts > 0 else ""
        trials = tuple(
            insert_trial(
                sweep, number, point, now, picker if number < len(sweep.first_trials) else ""
            ).pk
            for number, point in enumerate(suggestions, start=sweep.planned)
        )
    return Advance(trials=trials, more=more)


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _suggest(sweep: Sweep, count: int) -> tuple[list[Suggestion], Exhausted | None]:
    """The next points, `count` at most; each sees the ones before it as pending."""
    # Independent draws look at nothing; a long sweep must not be read for each of them.
    if sweep.sampling["algorithm"] == "random":
        return _drawn(sweep, count, Known(records.space_of(sweep)))
    # Whether they become trials is not settled yet.
    with known_of(sweep) as known, known.supposing():
        return _drawn(sweep, count, known)


def _drawn(sweep: Sweep, count: int, known: Known) -> tuple[list[Suggestion], Exhausted | None]:
    """The same; `known` learns of each point."""
    sampling, objective = records.sampling_of(sweep), records.objective_of(sweep)
    space, sampler = records.space_of(sweep), get_sampler(sampling.algorithm)
    suggestions: list[Suggestion] = []
    end = time.monotonic() + DRAW_S
    for number in range(sweep.planned, sweep.planned + count):
        if number < len(sweep.first_trials):
            answer: Suggestion | Exhausted = Suggestion(sweep.first_trials[number], {})
        elif len(suggestions) >= MOST_AT_ONCE or (suggestions and time.monotonic() > end):
            break
        else:
            request = SuggestRequest(space, objective, sampling, sweep.seed, number, known=known)
            answer = _ask(sampler, request)
        if isinstance(answer, Exhausted):
            return suggestions, answer
        suggestions.append(answer)
        known.learn(_pending(number, answer))
    return suggestions, None


def _pending(number: int, point: Suggestion) -> TrialRecord:
    return TrialRecord(number, TrialStatus.QUEUED, point.params, point.draw)


class SamplerFailed(Exception):
    """The sampling algorithm broke down; asking again would give the same."""


def _ask(sampler: Sampler, request: SuggestRequest) -> Suggestion | Exhausted:
    try:
        answer = sampler.suggest(request)
        if isinstance(answer, Suggestion):
            json.dumps([answer.params, answer.draw], allow_nan=False)
        return answer
    except Exception as error:
        # Whatever a library raises here, the sweep must end with the reason and not hang.
        log.exception("the sampler failed at suggestion %s", request.number)
        raise SamplerFailed(
            f"The {request.sampling.algorithm} sampler failed: {type(error).__name__}: {error}"
        ) from error


def insert_trial(
    sweep: Sweep,
    number: int,
    point: Suggestion,
    now: datetime,
    picked_by: str = "",
    ticket: str = "",
) -> Trial:
    """The row of a new trial. Call in a transaction that has raised `planned` past `number`."""
    trial = Trial(
        sweep=sweep,
        number=number,
        params=point.params,
        flat_params=flatten(point.params),
        draw=point.draw,
        picked_by=picked_by,
        ticket=ticket,
        revision=bump(sweep.pk),
        created_at=now,
    )
    rows.insert(trial)
    who = picked_by or "studio"
    rows.insert(StateChange(sweep=sweep, trial=trial, after=TrialStatus.QUEUED, at=now, actor=who))
    return trial


def record_run(sweep: Sweep, experiment_id: str, run_id: str) -> None:
    """Remember the MLflow experiment and parent run of a sweep."""
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id=experiment_id, run_id=run_id)
    sweep.experiment_id, sweep.run_id = experiment_id, run_id


def mark_run_closed(sweep: Sweep) -> None:
    """Remember that MLflow has the final state of the sweep's run."""
    Sweep.objects.filter(pk=sweep.pk).update(run_closed=True)
