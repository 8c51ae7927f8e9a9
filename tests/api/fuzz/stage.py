"""A workspace in which there is something of everything, for requests that find what they name."""

import io
import itertools
import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from studio.models import Compute, Membership, Role, User, Workspace
from studio.secret_services import set_secret
from studio.services import create_token
from sweeps import intake
from sweeps.api import files
from sweeps.domain.environments import Chosen, Recipe
from sweeps.domain.job import EarlyTermination
from sweeps.domain.limits import Limits
from sweeps.intake_environments import recipe_of
from sweeps.models import Attempt, Channel, CodeSnapshot, Environment, Sweep
from sweeps.queries.places import spool_of
from sweeps.services import control, edits, environments, sweeps
from sweeps.services.registry import note_logged
from sweeps.stores import snapshots
from tests.api.acts import end, log, play, start
from tests.conftest import job

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stage:
    """What there is: the workspace's name, an owner's token of it, the digests of uploads, the
    MLflow run of a trial, and a channel."""

    ws: str
    token: str
    code: str
    data: str
    run: str
    channel: int

    def known(self, path: str, method: str) -> dict[str, tuple[Any, ...]]:
        """Parameters of an operation's path, with values that there are, a fitting one first."""
        names: tuple[str, ...] = ("going", "going", "ended", "paused")
        numbers: tuple[int, ...] = (0, 1, 2)
        if "/secrets" in path:
            names = ("KEY", "KEY", "OTHER")
        elif "/computes" in path:
            names = ("spare", "spare", "used")
        elif "/environments" in path:
            names = ("built", "fresh", "fresh", "python")
        elif path.endswith("/rerun"):
            names, numbers = ("ended", "ended", "going"), (1, 1, 0)  # trial 1 of it has failed
        elif path.endswith("/register"):
            names, numbers = ("ended", "ended", "going"), (0, 0, 1)  # trial 0 has logged a model
        elif path.endswith("/cancel"):
            numbers = (1, 2, 0)
        elif method == "DELETE":
            names = ("ended", "going", "paused")
        return {
            "ws": (self.ws,),
            "name": names,
            "number": numbers,
            "stream": ("stdout", "stderr"),
            "path": ("a.txt", "folder"),
            "run_id": (self.run,),
            "channel_id": (self.channel,),
            "digest": (self.code if "/code/" in path else self.data,),
        }


def set_up() -> Stage:
    """Another stage, as all of them are."""
    now = timezone.now()
    name = f"stage{next(_numbers)}"
    workspace = Workspace.objects.create(name=name, created_at=now)
    user = User.objects.create(username=name)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    compute = Compute.objects.create(workspace=workspace, name="used", slots=2, is_default=True)
    Compute.objects.create(workspace=workspace, name="spare", slots=1)
    code = _code(workspace)
    data, _ = intake.keep_data_file(workspace, [b"1,2\n"], "a.csv")
    make = _maker(workspace, compute, code, _environments(workspace, now), now)
    ended = make("ended")
    play(ended, now, [0.5, None, 0.25])
    _going(make("going"), now)
    control.pause_sweep(make("paused"), actor="fuzz", now=now)
    token = create_token(workspace, user, role=Role.OWNER, name="fuzz", now=now).secret
    first = Attempt.objects.select_related("trial").get(trial__sweep=ended, trial__number=0)
    note_logged(first, f"m-{first.pk:032x}", "model")
    run = first.run_id
    channel = Channel.objects.create(
        workspace=workspace, name="ops", kind="email", address="a@example.org"
    )
    set_secret(workspace, "KEY", "a secret", user, now)
    return Stage(name, token, code.digest, data.digest, run, channel.pk)


def artifacts() -> dict[str, Callable[..., Any]]:
    """What every trial has left, in the eyes of `sweeps.api.files`: a.txt and folder/."""
    root = Path(tempfile.mkdtemp(prefix="artifacts-", dir=settings.STUDIO_HOME))
    (root / "a.txt").write_text("a")
    (root / "folder").mkdir()
    assert "artifacts_at" in vars(files)
    return {"artifacts_at": lambda _experiment, _run: root}


def zipped(text: str = "print(1)\n") -> bytes:
    """An archive of train.py."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo("train.py"), text)
    return data.getvalue()


def bundle() -> bytes:
    """A sweep bundle of one trial."""
    trial = {"number": 0, "status": "Completed", "params": {"lr": 0.5}, "objective": 0.5}
    facts = {
        "format": "sweep-studio-bundle", "version": 1, "sweep": "brought", "status": "Completed",
        "seed": 1,
    }  # fmt: skip
    spec = {
        "type": "sweep", "trial": {"command": "python train.py --lr ${{search_space.lr}}"},
        "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
        "sampling_algorithm": "random", "limits": {"max_total_trials": 1},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
    }  # fmt: skip
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, doc in (("bundle.json", facts), ("job.yml", spec), ("trials.jsonl", trial)):
            archive.writestr(zipfile.ZipInfo(name), json.dumps(doc))
    return data.getvalue()


def _code(workspace: Workspace) -> CodeSnapshot:
    kept = snapshots.snapshot_archive(intake.code_root(), io.BytesIO(zipped()), "code.zip")
    return intake.keep(workspace, kept, "code.zip")


def _environments(workspace: Workspace, now: datetime) -> Recipe:
    """One of each kind; what was built is returned."""
    made = partial(Environment.objects.create, workspace=workspace, created_at=now)
    made(name="fresh", kind="conda", source="dependencies: [pip: [six]]")
    made(name="python", kind="python", source=sys.executable)
    recipe = recipe_of(made(name="built", source="six"))
    assert recipe is not None
    build = environments.build_of(recipe, now)
    if environments.begin_build(build, "handle", now):
        build.refresh_from_db()
        environments.finish_build(build, "3.11.7", ["six==1.17.0"], ["Noted."], now)
    return recipe


def _maker(
    workspace: Workspace, compute: Compute, code: CodeSnapshot, recipe: Recipe, now: datetime
) -> Callable[[str], Sweep]:
    early = EarlyTermination("bandit", {"slack_amount": 0.1, "evaluation_interval": 1})

    def make(name: str) -> Sweep:
        return sweeps.create_sweep(
            workspace, job(name=name, early_termination=early, limits=Limits(3, 2, 3600)),
            compute=compute, code=code, user=None, now=now, rng=random.Random(1),
            chosen=Chosen("built", recipe=recipe),
        )  # fmt: skip

    return make


def _going(sweep: Sweep, now: datetime) -> None:
    """Trial 0 has completed, 1 runs and is far behind, 2 waits; it was edited twice."""
    for index, values in enumerate(([0.5, float("nan"), 0.25], [9.0, float("inf"), 8.0])):
        attempt = start(_next(sweep, now), now, Path(f"/spool/{sweep.uid}"))
        log(attempt, values)
        _write_logs(attempt)
        if index == 0:
            end(attempt, now)
    sweeps.advance(sweep.pk, now)
    for number in (1, 2):
        edits.edit_sweep(sweep, {"description": f"Edit {number}."}, actor="fuzz", now=now)


def _next(sweep: Sweep, now: datetime) -> int:
    queued = sweep.trials.filter(status="Queued").order_by("number").first()
    return queued.pk if queued else sweeps.advance(sweep.pk, now).trials[0]


def _write_logs(attempt: Attempt) -> None:
    folder = spool_of(attempt)
    folder.mkdir(parents=True, exist_ok=True)
    for stream in ("stdout", "stderr"):
        (folder / f"{stream}.log").write_text(f"{stream}: ä\n" * 10)
