"""A stored sweep as the job it was made from."""

from dataclasses import replace
from typing import Any

from studio.secrecy import hidden
from sweeps.domain.elsewhere import KEPT_CODE
from sweeps.domain.job import DataInput, LoggedModels, Output, SweepJob, WarmTrial
from sweeps.domain.limits import Limits
from sweeps.domain.naming import is_made_up
from sweeps.domain.space import Scalar
from sweeps.models import DEFAULT_EXPERIMENT, Sweep
from sweeps.queries.records import (
    early_termination_of,
    failure_policy_of,
    objective_of,
    sampling_of,
    space_of,
    stop_rules_of,
)


def exported_job(sweep: Sweep) -> SweepJob:
    """The job as people take it away: submitted again, it makes the same sweep once more.

    The code is named by its digest. Left out are a name that nobody chose, which can be given only
    once, and what stands for what was not said; a compute is called as the job called it. Values of
    environment variables that are secrets by their names are ***.
    """
    experiment = sweep.experiment_name
    return replace(
        job_of(sweep),
        environment_variables=hidden(sweep.environment_variables),
        name=None if is_made_up(sweep.name) else sweep.name,
        experiment_name=None if experiment == DEFAULT_EXPERIMENT else experiment,
        compute=sweep.asked_compute or None,
        code=f"{KEPT_CODE}{sweep.code.digest}" if sweep.code else None,
    )


def job_of(sweep: Sweep) -> SweepJob:
    """The job that reads back as this sweep (its seed said outright where it may be said)."""
    return SweepJob(
        command=sweep.command,
        search_space=space_of(sweep),
        objective=objective_of(sweep),
        limits=Limits(
            sweep.max_total_trials,
            sweep.max_concurrent_trials,
            sweep.timeout_s,
            sweep.trial_timeout_s,
        ),
        sampling=sampling_of(sweep),
        name=sweep.name,
        display_name=sweep.display_name,
        description=sweep.description,
        experiment_name=sweep.experiment_name,
        compute=sweep.compute.name,
        environment=sweep.environment,
        environment_variables=sweep.environment_variables,
        inputs={name: _input(value) for name, value in sweep.inputs.items()},
        outputs={name: Output(**value) for name, value in sweep.outputs.items()},
        early_termination=early_termination_of(sweep),
        stop_rules=stop_rules_of(sweep),
        failure_policy=failure_policy_of(sweep),
        logged_models=LoggedModels(sweep.logged_models),
        first_trials=tuple(sweep.first_trials),
        warm_start=tuple(WarmTrial(**one) for one in sweep.warm_start),
        preload=sweep.preload,
        tags=sweep.tags,
        properties=sweep.properties,
    )


def _input(value: Any) -> Scalar | DataInput:
    return DataInput(**value) if isinstance(value, dict) else value
