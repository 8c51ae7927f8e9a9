"""Creating, advancing and cancelling sweeps."""

import json
import logging
import random
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from studio.models import Compute, User, Workspace
from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.naming import new_name
from sweeps.domain.planner import AddTrials, FinishSweep, StopTrials, plan
from sweeps.domain.problems import InvalidInput
from sweeps.domain.samplers.base import Exhausted, Sampler, Suggestion, SuggestRequest
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import flatten
from sweeps.domain.space_doc import space_to_doc
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import CodeSnapshot, StateChange, Sweep, Trial
from sweeps.queries import records
from sweeps.services.state import bump, move_sweep, move_trial

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
    notes: tuple[str, ...] = (),
    is_dry_run: bool = False,
) -> Sweep:
    """Save a checked job as a queued sweep.

    Raises InvalidInput when the name is taken in the workspace.
    """
    name = job.name or new_name(rng)
    sweep = Sweep(
        workspace=workspace,
        name=name,
        display_name=job.display_name,
        description=job.description,
        experiment_name=job.experiment_name or "Default",
        tags=dict(job.tags),
        properties=dict(job.properties),
        notes=[*job.notes, *notes],
        compute=compute,
        code=code,
        command=job.command,
        search_space=space_to_doc(job.search_space),
        sampling=asdict(job.sampling),
        seed=rng.randrange(2**31) if job.sampling.seed is None else job.sampling.seed,
        primary_metric=job.objective.primary_metric,
        goal=job.objective.goal,
        inputs=_inputs(job),
        outputs={key: asdict(output) for key, output in job.outputs.items()},
        environment=job.environment,
        environment_variables=dict(job.environment_variables),
        early_termination=asdict(job.early_termination) if job.early_termination else None,
        max_total_trials=job.limits.max_total_trials,
        max_concurrent_trials=job.limits.max_concurrent_trials,
        timeout_s=job.limits.timeout,
        trial_timeout_s=job.limits.trial_timeout,
        is_dry_run=is_dry_run,
        created_by=user,
        created_at=now,
    )
    try:
        with transaction.atomic():
            sweep.save(force_insert=True)
            StateChange.objects.create(
                sweep=sweep, after=SweepStatus.QUEUED, actor=str(user or "studio"), at=now
            )
    except IntegrityError as error:
        if not Sweep.objects.filter(workspace=workspace, name=name).exists():
            raise
        raise InvalidInput.one(
            "name", f"There is a sweep “{name}” in this workspace already; choose another name."
        ) from error
    return sweep


def _inputs(job: SweepJob) -> dict[str, Any]:
    return {
        name: asdict(value) if isinstance(value, DataInput) else value
        for name, value in job.inputs.items()
    }


@dataclass(frozen=True, slots=True)
class Advance:
    """What `advance` did: ids of new trials, whether trials must stop, whether it is final."""

    trials: tuple[int, ...] = ()
    stopping: bool = False
    finished: bool = False


def advance(sweep_id: int, now: datetime) -> Advance:
    """Take a sweep one step further.

    Points are drawn outside the write transaction; the compare-and-set on `planned` makes sure
    that they are the next ones, so that two callers never both add trial 7.
    """
    sweep = Sweep.objects.select_related("compute", "workspace").get(pk=sweep_id)
    match plan(records.snapshot(sweep), now):
        case AddTrials(count):
            try:
                return Advance(trials=_add_trials(sweep, count, now))
            except SamplerFailed as error:
                return Advance(stopping=_stop_all(sweep, str(error), now))
        case StopTrials(reason):
            return Advance(stopping=_stop_all(sweep, reason, now))
        case FinishSweep(status, reason):
            with transaction.atomic():
                return Advance(finished=move_sweep(sweep, status, now, reason=reason))
        case _:
            return Advance()


def _add_trials(sweep: Sweep, count: int, now: datetime) -> tuple[int, ...]:
    suggestions, exhausted = _suggest(sweep, count)
    with transaction.atomic():
        rows = Sweep.objects.filter(pk=sweep.pk, planned=sweep.planned, desired=Desired.RUN)
        changes: dict[str, Any] = {"planned": F("planned") + len(suggestions)}
        if exhausted:
            changes |= {"exhausted": True, "reason": _sentence(exhausted.reason)}
        if not rows.update(**changes):
            return ()
        if sweep.status == SweepStatus.QUEUED and suggestions:
            reason = changes.get("reason", sweep.reason)
            move_sweep(
                sweep, SweepStatus.RUNNING, now, reason=reason, started_at=now, timed_from=now
            )
        return tuple(
            _insert_trial(sweep, sweep.planned + offset, suggestion, now).pk
            for offset, suggestion in enumerate(suggestions)
        )


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _suggest(sweep: Sweep, count: int) -> tuple[list[Suggestion], Exhausted | None]:
    """The next `count` points; each sees the ones before it as pending."""
    sampling, space = records.sampling_of(sweep), records.space_of(sweep)
    sampler = get_sampler(sampling.algorithm)
    # Independent draws look at nothing; a long sweep must not read itself for each of them.
    independent = sampling.algorithm == "random"
    known = () if independent else records.trial_records(sweep.trials.order_by("number"))
    history = list(known)
    suggestions: list[Suggestion] = []
    for number in range(sweep.planned, sweep.planned + count):
        request = SuggestRequest(
            space=space,
            objective=records.objective_of(sweep),
            sampling=sampling,
            seed=sweep.seed,
            number=number,
            history=tuple(history),
        )
        answer = _ask(sampler, request)
        if isinstance(answer, Exhausted):
            return suggestions, answer
        suggestions.append(answer)
        history.append(records.TrialRecord(number, TrialStatus.QUEUED, answer.params, answer.draw))
    return suggestions, None


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


def _insert_trial(sweep: Sweep, number: int, point: Suggestion, now: datetime) -> Trial:
    trial = Trial.objects.create(
        sweep=sweep,
        number=number,
        params=point.params,
        flat_params=flatten(point.params),
        draw=point.draw,
        revision=bump(sweep.pk),
        created_at=now,
    )
    StateChange.objects.create(sweep=sweep, trial=trial, after=TrialStatus.QUEUED, at=now)
    return trial


def _stop_all(sweep: Sweep, reason: str, now: datetime) -> bool:
    with transaction.atomic():
        rows = Sweep.objects.filter(pk=sweep.pk, desired=Desired.RUN)
        if not rows.update(desired=Desired.STOP, reason=reason, revision=F("revision") + 1):
            return False
        _cancel_trials(sweep, reason, now, actor="studio")
        sweep.desired, sweep.reason = Desired.STOP, reason
        return True


def cancel_sweep(sweep: Sweep, *, actor: str, now: datetime) -> bool:
    """Kill running trials now, start no more; True if this call made the difference.

    Again on a cancelled sweep: False and nothing happens. Raises InvalidInput when the sweep has
    already ended in another way.
    """
    reason = f"Canceled by {actor}."
    with transaction.atomic():
        rows = Sweep.objects.filter(pk=sweep.pk).live().exclude(desired=Desired.CANCEL)
        changed = rows.update(desired=Desired.CANCEL, reason=reason, revision=F("revision") + 1)
        sweep.refresh_from_db()
        if changed:
            _cancel_trials(sweep, reason, now, actor)
    if not changed and sweep.status in (SweepStatus.COMPLETED, SweepStatus.FAILED):
        raise InvalidInput.conflict(f"The sweep has ended as {sweep.status}; nothing to cancel.")
    return bool(changed)


def _cancel_trials(sweep: Sweep, reason: str, now: datetime, actor: str) -> None:
    """Queued trials end here; the engine stops the running ones, which ask for it by `desired`."""
    for trial in sweep.trials.filter(status=TrialStatus.QUEUED):
        move_trial(trial, TrialStatus.CANCELED, now, reason=reason, actor=actor)
    sweep.trials.active().update(desired=Desired.CANCEL, reason=reason, revision=bump(sweep.pk))


def record_run(sweep: Sweep, experiment_id: str, run_id: str) -> None:
    """Remember the MLflow experiment and parent run of a sweep."""
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id=experiment_id, run_id=run_id)
    sweep.experiment_id, sweep.run_id = experiment_id, run_id


def mark_run_closed(sweep: Sweep) -> None:
    """Remember that MLflow has the final state of the sweep's run."""
    Sweep.objects.filter(pk=sweep.pk).update(run_closed=True)
