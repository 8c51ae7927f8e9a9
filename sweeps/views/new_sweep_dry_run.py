"""The dry run of one trial, as its panel shows it."""

from pathlib import Path
from typing import Any

from studio.formatting import objective
from studio.models import Workspace
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.queries.clock import database_now
from sweeps.queries.logs import read_log
from sweeps.queries.places import spool_of
from sweeps.queries.waiting import standstill

_TAIL = 8 * 1024
_LINES = 12


def dry_run_context(workspace: Workspace, name: str) -> dict[str, Any]:
    """What the panel of a dry run needs; nothing when there is no such dry run."""
    rows = Sweep.objects.filter(workspace=workspace, name=name, is_dry_run=True)
    sweep = rows.select_related("compute").first() if name else None
    if sweep is None:
        return {"dry_run": None}
    trial = sweep.trials.order_by("number").first()
    is_final = SweepStatus(sweep.status).is_final
    if trial is not None:
        is_final = TrialStatus(trial.status).is_final
    return {
        "dry_run": sweep,
        "dry_trial": trial,
        "dry_status": trial.status if trial else sweep.status,
        "dry_is_final": is_final,
        "dry_waits": "" if is_final else standstill(sweep, database_now()),
        "dry_verdict": verdict(sweep, trial) if is_final else "",
        "dry_lines": last_lines(trial) if trial else [],
    }


def verdict(sweep: Sweep, trial: Trial | None) -> str:
    """What the dry run showed, in a sentence."""
    if trial is None:
        return sweep.reason or "No trial was run."
    if trial.status != TrialStatus.COMPLETED:
        return trial.reason or sweep.reason or "The trial did not succeed."
    logged = MetricSummary.objects.filter(trial=trial, name=sweep.primary_metric).first()
    times = logged.count if logged else 0
    often = "once" if times == 1 else f"{times:,} times"
    best = f", best {objective(trial.objective)}" if trial.objective is not None else ""
    return f"{sweep.primary_metric} was logged {often}{best}."


def last_lines(trial: Trial) -> list[tuple[str, str]]:
    """The ends of both logs as (stream, line), the errors last."""
    attempt = trial.attempts.order_by("-number").first()
    if attempt is None:
        return []
    found: list[tuple[str, str]] = []
    for stream in ("stdout", "stderr"):
        text = _tail(spool_of(attempt), stream)
        found += [(stream, line) for line in text.splitlines()[-_LINES:] if line.strip()]
    return found


def _tail(spool: Path, stream: str) -> str:
    try:
        size = (spool / f"{stream}.log").stat().st_size
    except OSError:
        return ""
    return read_log(spool, stream, max(0, size - _TAIL)).text
