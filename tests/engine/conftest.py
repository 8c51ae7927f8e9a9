"""The engine without processes and without MLflow: a scripted runner, a tracking in memory."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY

from sweeps import tasks
from sweeps.engine import forward, loop, runs, start, steps
from sweeps.engine.outage import ASK_S, Outage
from sweeps.models import Attempt, Sweep
from sweeps.runners.base import EndedBy, Result
from sweeps.services import sweeps as sweep_services
from sweeps.tracking.client import TrackingUnavailable
from tests.runners.scripted import ScriptedRunner


class NotedTracking:
    """Keeps runs in memory; `down` makes every call fail as an unreachable server does."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.batches: list[Mapping[str, Any]] = []
        self.down = False

    def _reach(self) -> None:
        if self.down:
            raise TrackingUnavailable("nobody answers")

    def get_or_create_experiment(self, name: str, tags: Mapping[str, str]) -> str:
        self._reach()
        return "1"

    def create_run(
        self,
        experiment_id: str,
        name: str,
        tags: Mapping[str, str],
        parent_run_id: str | None = None,
        start_ms: int | None = None,
    ) -> str:
        self._reach()
        run_id = f"run{len(self.runs)}"
        self.runs[run_id] = {
            "name": name, "tags": dict(tags), "parent": parent_run_id, "status": "RUNNING",
            "params": {},
        }  # fmt: skip
        return run_id

    def find_run(self, experiment_id: str, tags: Mapping[str, str]) -> str | None:
        self._reach()
        for run_id, run in self.runs.items():
            if tags.items() <= run["tags"].items():
                return run_id
        return None

    def send_batch(self, body: Mapping[str, Any]) -> None:
        self._reach()
        self.batches.append(body)
        run = self.runs[body["run_id"]]
        for kind in ("params", "tags"):
            run[kind].update({item["key"]: item["value"] for item in body.get(kind, ())})

    def get_run(self, run_id: str) -> Any:
        self._reach()
        return SimpleNamespace(params=dict(self.runs[run_id]["params"]), lifecycle_stage="active")

    def log_params_missing(self, run_id: str, params: Mapping[str, str]) -> None:
        self._reach()
        self.runs[run_id]["params"] = {**params, **self.runs[run_id]["params"]}

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self._reach()
        self.runs[run_id]["tags"].update(tags)

    def set_terminated(self, run_id: str, status: str, end_ms: int) -> None:
        self._reach()
        self.runs[run_id]["status"] = status


class Stage:
    """One sweep, and hands to move it."""

    def __init__(self, runner: ScriptedRunner, tracking: NotedTracking, now: datetime) -> None:
        self.runner, self.tracking, self.now = runner, tracking, now

    def open(self, sweep: Sweep) -> list[Attempt]:
        """Advance the sweep and start what may start; returns its open attempts."""
        runs.open_sweep(sweep)
        for trial_id in sweep_services.advance(sweep.pk, self.now).trials:
            start.start_trial(trial_id, "a test", lambda: self.now)
        return self.attempts(sweep)

    def attempts(self, sweep: Sweep) -> list[Attempt]:
        return list(Attempt.objects.filter(trial__sweep=sweep, ended_at=None).order_by("trial"))

    def end(
        self, attempt: Attempt, by: EndedBy = EndedBy.EXIT, code: int | None = 0, **more: Any
    ) -> None:
        """Let the attempt's command end so."""
        at = self.now.timestamp()
        result = Result(by, code, more.get("signal"), at, at + 1, 2**20, more.get("message", ""))
        self.runner.finish(name_of(attempt), result)

    def queued(self) -> list[tuple[str, Any]]:
        """What the queue holds: names of tasks with their id."""
        return [(task.name, task.args[0] if task.args else None) for task in HUEY.pending()]

    def work_off(self) -> None:
        """Do what the queue holds, and what comes of it."""
        for _ in range(100):
            if not self.queued():
                return
            self.work_off_now()
        raise AssertionError(f"The queue never gets empty: {self.queued()}")

    def work_off_now(self) -> None:
        """Do what the queue holds now; what that enqueues stays."""
        for _ in self.queued():
            task = HUEY.dequeue()
            # Not HUEY.execute, which would close the connection that holds the test's transaction.
            getattr(tasks, task.name).call_local(*task.args)


def name_of(attempt: Attempt) -> str:
    """The name by which the runner knows the attempt."""
    trial = attempt.trial
    return f"default.{trial.sweep.name}.{trial.number}.{attempt.number}"


def set_up(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Stage:
    """A stage without a sweep: nothing of an earlier one is left."""
    HUEY.flush()
    runner, tracking = ScriptedRunner(), NotedTracking()
    for module in (steps, start, loop):
        monkeypatch.setattr(module, "get_runner", lambda *place: runner)
    for module in (runs, forward):
        monkeypatch.setattr(module, "tracking", lambda: tracking)
    clock: Callable[[], datetime] = lambda: now  # noqa: E731
    for module in (tasks, loop):
        monkeypatch.setattr(module, "database_now", clock)
    # However slow the machine is, no task leaves half of its work to another one.
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep))
    # Whether MLflow is back is asked each time.
    known = Outage(lambda: not tracking.down, count(step=ASK_S).__next__)
    for module in (tasks, start):
        monkeypatch.setattr(module, "outage", known)
    return Stage(runner, tracking, now)


@pytest.fixture
def stage(
    db: None, now: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> Stage:
    """The engine's surroundings, empty."""
    settings.STUDIO_HOME = tmp_path
    return set_up(monkeypatch, now)
