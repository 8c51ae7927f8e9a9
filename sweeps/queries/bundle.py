"""A sweep as the files of its bundle: what it was, what each trial came to, how to use it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sweeps.domain.bundles import CODE, FORMAT, MAX_ALL_POINTS, MAX_POINTS, VERSION, as_number
from sweeps.domain.job import SweepJob
from sweeps.models import MetricPoint, MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.export import batches
from sweeps.queries.spec_of import exported_job

# So many points to try first leave room for all else in a job file; the trials have them anyway.
_FEW_FIRST = 100

README = """\
A bundle of the sweep {sweep}, made {at} by Sweep Studio at {origin}.

job.yml        the sweep as an Azure ML sweep job (CLI v2); its code is the folder code/
code/          the training code as it was submitted
packages.txt   the packages that its trials ran with, as a lock for pip
bundle.json    what became of it: status, reason, times, seed
trials.jsonl   one trial per line: status, params, draw, objective, metrics{points}

To look at it in another studio:   manage.py sweep import {sweep}.zip
To run its points again, in order: manage.py sweep import {sweep}.zip --replay
or open New sweep, "Import a bundle". Without a studio:
  az ml job create -f job.yml      (Azure ML)
  python -c "import json; print([json.loads(l)['objective'] for l in open('trials.jsonl')])"
"""


def bundled_job(sweep: Sweep) -> SweepJob:
    """The job as the bundle has it, with its code beside it."""
    job = exported_job(sweep)
    few = len(job.first_trials) <= _FEW_FIRST
    return replace(
        job,
        name=sweep.name,
        code=f"./{CODE}" if sweep.code else None,
        first_trials=job.first_trials if few else (),
    )


def bundle_facts(sweep: Sweep, origin: str, now: datetime) -> dict[str, Any]:
    """What bundle.json says; `origin` is the address of the sweep's page."""
    build = sweep.environment_build
    return {
        "format": FORMAT,
        "version": VERSION,
        "sweep": sweep.name,
        "workspace": sweep.workspace.name,
        "origin": origin,
        "made_at": now.isoformat(),
        "status": sweep.status,
        "reason": sweep.reason,
        "seed": sweep.seed,
        "created_at": sweep.created_at.isoformat(),
        "started_at": _iso(sweep.started_at),
        "ended_at": _iso(sweep.ended_at),
        "trials": sweep.planned,
        "objective": {"primary_metric": sweep.primary_metric, "goal": sweep.goal},
        "code": sweep.code.digest if sweep.code else None,
        "git": sweep.git,
        "python": build.python if build else None,
        "mlflow_run_id": sweep.run_id,
    }


def readme(sweep: Sweep, origin: str, now: datetime, *, points: bool) -> str:
    """How to use the bundle."""
    more = ", and points as [step, value, time in ms]" if points else ""
    at = f"{now:%Y-%m-%d %H:%M} UTC"
    return README.format(sweep=sweep.name, at=at, origin=origin, points=more)


def trial_lines(sweep: Sweep, *, points: bool = False) -> Iterator[bytes]:
    """trials.jsonl, some trials at a time, by number. Points end where there are too many, of a
    trial or of all."""
    left = MAX_ALL_POINTS if points else 0
    for trials in batches(sweep, points=points):
        keys = [trial.pk for trial in trials]
        metrics = _metrics(keys)
        logged = _points(keys, min(left, MAX_POINTS)) if left else {}
        left -= sum(len(one) for named in logged.values() for one in named.values())
        lines = [_trial(trial, metrics.get(trial.pk, {}), logged.get(trial.pk)) for trial in trials]
        yield "".join(f"{json.dumps(line, allow_nan=False)}\n" for line in lines).encode()


def _trial(trial: Trial, metrics: dict[str, Any], points: Any) -> dict[str, Any]:
    doc = {
        "number": trial.number,
        "status": trial.status,
        "reason": trial.reason,
        "params": trial.params,
        "draw": trial.draw,
        "objective": trial.objective,
        "last_value": trial.last_value,
        "best_report": trial.best_report,
        "reports": trial.reports,
        "attempt": trial.attempt,
        "picked_by": trial.picked_by,
        "signature": trial.signature,
        "run_id": trial.run_id,
        "started_at": _iso(trial.started_at),
        "ended_at": _iso(trial.ended_at),
        "metrics": metrics,
    }
    return doc | ({"points": points} if points else {})


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _metrics(trials: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for row in MetricSummary.objects.filter(trial__in=trials).order_by("trial", "name"):
        found.setdefault(row.trial_id, {})[row.name] = {
            "count": row.count,
            "last": as_number(from_columns(row.last, row.kind)),
            "last_step": row.last_step,
            "lowest": row.lowest,
            "highest": row.highest,
            "total": as_number(row.total),
            "finite": row.finite,
        }
    return found


def _points(trials: list[int], most: int) -> dict[int, dict[str, list[Any]]]:
    """Values that the attempt of each trial's metrics logged, by trial and metric."""
    attempts = dict(
        MetricSummary.objects.filter(trial__in=trials).values_list("attempt_id", "trial_id")
    )
    rows = MetricPoint.objects.filter(attempt__in=attempts).order_by("attempt", "name", "report")
    columns = rows.values_list("attempt_id", "name", "step", "value", "kind", "timestamp_ms")
    found: dict[int, dict[str, list[Any]]] = {}
    for attempt, name, step, value, kind, at in columns[:most]:
        named = found.setdefault(attempts[attempt], {})
        named.setdefault(name, []).append([step, as_number(from_columns(value, kind)), at])
    return found
