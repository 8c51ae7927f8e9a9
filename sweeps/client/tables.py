"""Sweeps and trials in lines of text, from the REST API's answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from sweeps.client.progress import short, words
from sweeps.client.records import Job
from sweeps.domain.space import flatten

MAX_GROUPS = 5


def sweep_lines(job: Job, failures: Iterable[Mapping[str, Any]]) -> list[str]:
    """How a sweep stands, a label and a text per line; what is empty or was just said is left out.

    `failures` are groups of failed trials, as the API tells them.
    """
    titled = f"{job.name} ({job.display_name})" if job.display_name else job.name
    pairs = [
        ("sweep", titled),
        ("status", job.status),
        ("reason", job.reason),
        ("waiting", job.raw.get("waiting", "")),
        ("trials", words(job)),
        ("best", best_line(job)),
        *(("failed", line) for line in failure_lines(failures)),
        ("page", job.studio_url),
    ]
    lines, told = [], ""
    for label, text in pairs:
        if text and text != told:
            lines.append(f"{label:<8} {text}")
            told = text
    return lines


def failure_lines(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line per group of failed trials, the largest groups first."""
    found = list(groups)
    lines = [f"{group['count']} × {group['reason']}" for group in found[:MAX_GROUPS]]
    more = len(found) - MAX_GROUPS
    return [*lines, f"and {more} more kinds of failure"] if more > 0 else lines


def best_line(job: Job) -> str:
    """The best trial with its parameters, "" without one."""
    best = job.best_trial
    if best is None:
        return ""
    metric = job.objective["primary_metric"]
    return f"#{best['number']}: {metric} {short(best['value'])} with {params_text(best['params'])}"


def trial_lines(trials: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line per trial: number, status, objective, parameters, and why where it went wrong."""
    return [
        f"{trial['number']:>5}  {trial['status']:<15}  {short(trial['objective']):<12}  "
        f"{params_text(trial['params'])}{_why(trial)}"
        for trial in trials
    ]


def params_text(params: Mapping[str, Any]) -> str:
    """lr=0.1, model.depth=3."""
    return ", ".join(f"{name}={value}" for name, value in flatten(params).items())


def _why(trial: Mapping[str, Any]) -> str:
    text = trial["reason"] or trial.get("waiting", "")
    return f"  {text}" if text else ""


def environment_lines(environments: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line per environment: name, kind, how far it is built, description, why it is not."""
    return [
        "  ".join((f"{one['name']:<32}", f"{one['kind']:<12}", _built(one))).rstrip()
        for one in environments
    ]


def _built(environment: Mapping[str, Any]) -> str:
    build = environment["build"] or {}
    state = "" if environment["kind"] == "python" else build.get("state", "not built")
    return "  ".join((f"{state:<9}", environment["description"], build.get("reason", "")))
