"""Sweeps and trials as the studio's answers tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FINAL = frozenset({"Completed", "Failed", "Canceled"})
_RUNNING = ("Starting", "Running")
_DONE = ("Completed", "Failed", "Canceled", "EarlyTerminated", "TimedOut", "Lost")


@dataclass(frozen=True)
class ServiceInstance:
    """A page that shows a job."""

    endpoint: str


@dataclass(frozen=True)
class Job:
    """A sweep as it stood when it was asked for; `raw` is the whole answer of the REST API."""

    name: str
    display_name: str
    status: str
    reason: str
    experiment_name: str
    objective: Mapping[str, Any]
    limits: Mapping[str, Any]
    counts: Mapping[str, int]
    best_trial: Mapping[str, Any] | None
    properties: Mapping[str, str]
    services: Mapping[str, ServiceInstance]
    notes: tuple[str, ...]
    raw: Mapping[str, Any] = field(repr=False)
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    compute: str = ""
    type: str = "sweep"

    @property
    def studio_url(self) -> str:
        """The sweep's page."""
        return self.services["Studio"].endpoint

    @property
    def is_final(self) -> bool:
        """True once it has ended."""
        return self.status in FINAL

    @property
    def is_broken(self) -> bool:
        """True if it has paused itself after failures and nothing of it runs any more."""
        return (
            self.status == "Paused" and self.raw.get("paused_by") == "breaker" and self.running == 0
        )

    @property
    def running(self) -> int:
        """How many trials are starting or running."""
        return sum(self.counts.get(status, 0) for status in _RUNNING)

    @property
    def done(self) -> int:
        """How many trials have ended, however."""
        return sum(self.counts.get(status, 0) for status in _DONE)

    @property
    def not_completed(self) -> int:
        """How many of those did not complete."""
        return self.done - self.counts.get("Completed", 0)


@dataclass(frozen=True)
class Trial:
    """A trial as it stood when it was asked for; `raw` is the whole answer."""

    name: str
    number: int
    status: str
    reason: str
    params: Mapping[str, Any]
    objective: float | None
    metrics: Mapping[str, Any]
    run_id: str
    parent_job_name: str
    raw: Mapping[str, Any] = field(repr=False)
    type: str = "command"


@dataclass(frozen=True)
class Rerun:
    """Numbers of trials that run again, and their sweep as it is now."""

    numbers: Sequence[int]
    sweep: Job
    raw: Mapping[str, Any] = field(repr=False)


def job_of(answer: Mapping[str, Any]) -> Job:
    """The sweep of an answer."""
    services = {name: ServiceInstance(s["endpoint"]) for name, s in answer["services"].items()}
    return Job(
        name=answer["name"],
        display_name=answer["display_name"],
        status=answer["status"],
        reason=answer["reason"],
        experiment_name=answer.get("experiment_name", ""),
        objective=answer["objective"],
        limits=answer["limits"],
        counts=answer["counts"],
        best_trial=answer["best_trial"],
        properties=answer["properties"],
        services=services,
        notes=tuple(answer["notes"]),
        raw=answer,
        description=answer.get("description", ""),
        tags=answer.get("tags", {}),
        compute=answer.get("compute", ""),
    )


def trial_of(answer: Mapping[str, Any], sweep: str) -> Trial:
    """The trial of an answer; its name is that of its MLflow run, `<sweep>_<number>`."""
    own = ("number", "status", "reason", "params", "objective", "metrics", "run_id")
    return Trial(
        name=f"{sweep}_{answer['number']}",
        parent_job_name=sweep,
        raw=answer,
        **{name: answer[name] for name in own},
    )
