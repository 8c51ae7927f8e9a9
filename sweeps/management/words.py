"""Sweeps in the words of a terminal."""

from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep
from sweeps.queries.failures import groups
from sweeps.queries.records import best_trial, trial_counts

MAX_GROUPS = 5


def progress(sweep: Sweep) -> str:
    """One line: "12 of 20 trials done, 4 running, 1 not completed, best 0.0832 (#7)"."""
    counts = trial_counts(sweep)
    done = sum(count for status, count in counts.items() if status.is_final)
    active = counts[TrialStatus.STARTING] + counts[TrialStatus.RUNNING]
    failed = done - counts[TrialStatus.COMPLETED]
    best = best_trial(sweep)
    text = f"{done} of {sweep.max_total_trials} trials done, {active} running"
    text += f", {failed} not completed" if failed else ""
    return text + (f", best {best.objective:.6g} (#{best.number})" if best else "")


def best(sweep: Sweep) -> str:
    """The best trial with its parameters, "" without one."""
    trial = best_trial(sweep)
    if trial is None:
        return ""
    params = ", ".join(f"{name}={value}" for name, value in trial.flat_params.items())
    return f"#{trial.number}: {sweep.primary_metric} {trial.objective:.6g} with {params}"


def failures(sweep: Sweep) -> list[str]:
    """A line per group of failed trials, the largest groups first."""
    found = groups(sweep)
    lines = [f"{group.count} × {group.example.reason}" for group in found[:MAX_GROUPS]]
    more = len(found) - MAX_GROUPS
    return [*lines, f"and {more} more kinds of failure"] if more > 0 else lines
