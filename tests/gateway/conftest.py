"""Two trials of one sweep, a stranger's workspace, and the gateway in front of real servers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from studio.models import ApiToken, Compute, Membership, Role, User, Workspace
from studio.services import create_token
from sweeps.domain.states import TrialStatus
from sweeps.engine import runs
from sweeps.engine import tracking as line
from sweeps.gateway import owners, upstream
from sweeps.models import Attempt, Sweep, Trial
from sweeps.services import trials
from tests.servers import CHECKOUT, TrackingServer, tracking_server

__all__ = ["tracking_server"]
MLFLOW = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


def forget_servers() -> None:
    """Close and drop what the process keeps of its tracking server."""
    for kept in (line.tracking, upstream.client):
        if kept.cache_info().currsize:
            kept().close()
        kept.cache_clear()
    owners.forget()


@pytest.fixture
def tracking_line(
    tracking_server: TrackingServer, settings: Any, tmp_path: Path
) -> Iterator[TrackingServer]:
    """The studio's own line to the tracking server of the session."""
    settings.TRACKING_PORT = int(tracking_server.url.rpartition(":")[2])
    settings.TRACKING_ARTIFACTS = tracking_server.artifacts
    settings.TRACKING_SECRET_FILE = tmp_path / "secret"
    settings.TRACKING_SECRET_FILE.write_text(tracking_server.secret)
    yield tracking_server
    forget_servers()


@dataclass(frozen=True)
class Api:
    """Plain HTTP to the gateway of a workspace, with one token."""

    url: str
    token: str

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        where = path if path.startswith("/") else MLFLOW + path
        return httpx.request(
            method, self.url + where, headers=headers, trust_env=False, timeout=30, **arguments
        )

    def post(self, path: str, /, **body: Any) -> httpx.Response:
        return self("POST", path, json=body)

    def get(self, path: str, /, **query: str) -> httpx.Response:
        return self("GET", path, params=query)


@dataclass(frozen=True)
class Running:
    """A running attempt, its token and its way through the gateway."""

    attempt: Attempt
    token: str
    api: Api

    @property
    def run_id(self) -> str:
        return self.attempt.run_id

    @property
    def experiment_id(self) -> str:
        return self.attempt.trial.sweep.experiment_id

    def log(self, name: str, value: float | str, step: int = 0, ms: int = 1000) -> httpx.Response:
        point = {"key": name, "value": value, "timestamp": ms, "step": step}
        return self.api.post("runs/log-metric", run_id=self.run_id, run_uuid=self.run_id, **point)

    def end(self) -> None:
        Attempt.objects.filter(pk=self.attempt.pk).update(ended_at=timezone.now())


@pytest.fixture
def gateway_url(live_server: LiveServer, tracking_line: TrackingServer) -> str:
    return f"{live_server.url}/tracking"


def run_trial(sweep: Sweep, number: int, gateway_url: str) -> Running:
    """A trial whose attempt is claimed and has its MLflow run, as the queue leaves it."""
    now = timezone.now()
    trial = Trial.objects.create(sweep=sweep, number=number, params={"lr": 0.1})
    Sweep.objects.filter(pk=sweep.pk).update(planned=number + 1)
    claim = trials.claim(trial.pk, owner="test", spool_root=Path("/spool"), now=now)
    assert claim is not None
    runs.open_sweep(sweep)
    attempt = Attempt.objects.select_related("trial__sweep__workspace").get(pk=claim.attempt.pk)
    run_id = runs.new_attempt_run(attempt, now)
    trials.record_run(attempt, run_id)
    Trial.objects.filter(pk=trial.pk).update(status=TrialStatus.RUNNING)
    return Running(attempt, claim.token, Api(f"{gateway_url}/{sweep.workspace.name}", claim.token))


@pytest.fixture
def trial(sweep: Sweep, gateway_url: str) -> Running:
    """Trial 0 of the sweep, running."""
    return run_trial(sweep, 0, gateway_url)


@pytest.fixture
def sibling(sweep: Sweep, trial: Running, gateway_url: str) -> Running:
    """Trial 1 of the same sweep, running."""
    return run_trial(sweep, 1, gateway_url)


@pytest.fixture
def stranger(make_sweep: Callable[..., Sweep], gateway_url: str) -> Running:
    """A trial in another workspace, running."""
    elsewhere = Workspace.objects.create(name="elsewhere")
    sweep = make_sweep(name="other")
    compute = Compute.objects.create(workspace=elsewhere, name="local", slots=2)
    Sweep.objects.filter(pk=sweep.pk).update(workspace=elsewhere, compute=compute)
    return run_trial(Sweep.objects.get(pk=sweep.pk), 0, gateway_url)


@pytest.fixture
def member(workspace: Workspace, gateway_url: str) -> Callable[[Role], Api]:
    """Makes members' ways through the gateway, by role."""

    def make(role: Role) -> Api:
        user = User.objects.create_user(username=f"{role}-{ApiToken.objects.count()}")
        Membership.objects.create(workspace=workspace, user=user, role=role)
        made = create_token(workspace, user, role=role, name="test", now=timezone.now())
        return Api(f"{gateway_url}/{workspace.name}", made.secret)

    return make


@pytest.fixture
def run_script(gateway_url: str, tmp_path: Path) -> Callable[..., str]:
    """Runs Python source with the real MLflow client as a trial's command; returns its stdout."""

    def run(who: Running | Api, source: str) -> str:
        environ = {k: os.environ[k] for k in ("PATH", "HOME") if k in os.environ}
        api = who.api if isinstance(who, Running) else who
        environ |= {
            "MLFLOW_TRACKING_URI": api.url,
            "MLFLOW_TRACKING_TOKEN": api.token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
            "PYTHONPATH": str(CHECKOUT),
        }
        if isinstance(who, Running):
            environ |= {
                "MLFLOW_RUN_ID": who.run_id,
                "MLFLOW_EXPERIMENT_ID": who.experiment_id,
            }
        done = subprocess.run(
            [sys.executable, "-c", source],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run
