"""Every page of the studio: the routes of the project, with values that there are.

A route whose parameter has no value here, or whose address answers 404, fails
`tests/pages/test_everywhere.py`: give it a value in `VALUES` and, where needed, a thing in
`set_up`.
"""

import random
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from studio import actor, audit
from studio.models import Compute, Invitation, Role, User, Workspace
from studio.models.invitation import INVITATION_LIFETIME
from studio.models.token import digest
from studio.secret_services import set_secret
from studio.services import create_token
from sweeps import intake
from sweeps.domain.environments import THE_COMPUTES, Chosen, Recipe
from sweeps.domain.limits import Limits
from sweeps.environments import places
from sweeps.intake_environments import recipe_of
from sweeps.models import Channel, CodeSnapshot, Environment, EnvironmentBuild, Sweep
from sweeps.queries.environments import environments_root, log_folder
from sweeps.queries.places import artifacts_at, spool_of
from sweeps.services import control, edits, environments, notices, sweeps
from tests.api.acts import CRASH, DONE, end, log, play, start
from tests.conftest import job
from tests.studio.test_accounts import OPEN, SAMPLES, routes
from tests.studio.test_accounts import address as sampled

# By what is before a parameter, where it is no other than elsewhere (`SAMPLES`).
VALUES = {
    "sweeps/<str:name>/logs/environment": "sweeps/built/logs/environment",
    "sweeps/<str:name>": "sweeps/going",
    "dry-run/<str:name>": "dry-run/dry",
    "computes/<str:name>": "computes/local",
    "environments/<str:name>": "environments/trees",
    "secrets/<str:name>": "secrets/HF_TOKEN",
}
# Pages in other states than their plain addresses show, and what no route names.
STATES = (
    "/w/empty/", "/w/empty/sweeps/", "/w/empty/computes/", "/w/empty/environments/",
    "/w/empty/settings/notifications/", "/w/empty/settings/secrets/",
    "/w/default/computes/new?kind=slurm", "/w/default/computes/hpc/",
    "/w/default/computes/new?kind=ray",
    "/w/default/sweeps/?q=nothing", "/w/default/sweeps/new?from=done",
    "/w/default/sweeps/new?as=file", "/w/default/sweeps/fresh/", "/w/default/sweeps/fresh/trials/",
    "/w/default/sweeps/fresh/charts/", "/w/default/sweeps/paused/", "/w/default/sweeps/done/",
    "/w/default/sweeps/broken/", "/w/default/sweeps/broken/charts/",
    "/w/default/sweeps/going/compare/?t=0,1,2", "/w/default/sweeps/going/trials/?t=0,1",
    "/w/default/sweeps/going/trials/?status=Failed",
    "/w/default/sweeps/going/trials/?q=nothing", "/w/default/sweeps/going/trials/0/",
    "/w/default/sweeps/going/trials/2/", "/w/default/nothing/", "/accounts/invitation/x/",
)  # fmt: skip
MODEL = SAMPLES["path"]
SPACE = {
    "lr": {"type": "loguniform", "min_value": -7, "max_value": 0},
    "model": {
        "type": "choice",
        "values": ["linear", {"kind": "tree", "depth": {"type": "randint", "upper": 9}}],
    },
}


def set_up(owner: User, compute: Compute, now: datetime) -> None:
    """Something of everything in the owner's workspace, and an empty workspace beside it.

    The owner is an administrator of the studio, too: some pages are theirs alone.
    """
    workspace = compute.workspace
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    Invitation.objects.create(
        workspace=workspace, note="Dora", invited_by=owner, digest=digest(SAMPLES["secret"]),
        expires_at=timezone.now() + INVITATION_LIFETIME,
    )  # fmt: skip
    empty = Workspace.objects.create(name="empty", created_at=now)
    empty.memberships.create(user=owner, role=Role.OWNER)
    create_token(workspace, owner, role=Role.READER, name="a notebook", now=now)
    _channels(workspace, now)
    _audited(workspace, owner)
    set_secret(workspace, "HF_TOKEN", "hf_secret", owner, now)
    make = partial(_sweep, workspace, compute, owner, now)
    code = intake.keep_folder(workspace, str(settings.BASE_DIR / "examples" / "iris_lightgbm"))
    _going(make("going", code=code, limits=Limits(8, 2, 3600), tags={"team": "vision"}), now)
    play(make("done", limits=Limits(2, 1, 3600)), now, [0.4, 0.2])
    play(make("broken", limits=Limits(2, 1, 3600)), now, [None, None])
    make("fresh")
    control.pause_sweep(make("paused"), actor="alice", now=now)
    make("dry", is_dry_run=True)
    make("built", chosen=Chosen("trees", recipe=_environment(workspace, now)))
    _far(workspace, now)


def _far(workspace: Workspace, now: datetime) -> None:
    """A compute on a cluster that has answered once, and does not now; its test waits."""
    group = {"name": "long", "state": "mixed", "nodes": 3, "each": "8 CPUs", "limit": "1:00"}
    waits = {"name": "Queue", "ok": None, "detail": "Slurm: Priority."}
    Compute.objects.create(
        workspace=workspace, name="hpc", kind="slurm", slots=3, settings={"partition": "long"},
        cluster={
            "version": "slurm 22.05", "error": "Slurm: it is away.", "at": now.isoformat(),
            "groups": [group | {"running": 2, "waiting": 5}],
        },
        last_test={"ok": None, "at": timezone.now().isoformat(), "steps": [waits]},
    )  # fmt: skip


def addresses() -> list[str]:
    """What somebody who is signed in may open, sorted; a parameter without a value stays."""
    found = [route for route in routes(get_resolver().url_patterns) if not route.startswith(OPEN)]
    return sorted({_address(route) for route in found})


def pages(client: Client) -> list[str]:
    """Which of these are pages, and `STATES`."""
    found = []
    for address in addresses():
        answer = client.get(address)
        # Read to its end, a file is closed.
        is_page = answer.getvalue().lstrip().startswith(b"<!doctype html>")
        # In a sandbox, as a report is, no script runs: axe neither.
        is_closed = "sandbox" in answer.headers.get("Content-Security-Policy", "")
        if is_page and not is_closed and answer.status_code == 200:
            found.append(address)
    return ["/accounts/login/", *found, *STATES]


def _address(route: str) -> str:
    build = EnvironmentBuild.objects.values_list("digest", flat=True).first()
    channel = Channel.objects.values_list("pk", flat=True).first()
    values = {"notifications/<int:pk>": f"notifications/{channel}", "<str:digest>": str(build)}
    for parameter, value in {**values, **VALUES}.items():
        route = route.replace(parameter, value)
    return sampled(route)


def _sweep(
    workspace: Workspace, compute: Compute, user: User, now: datetime, name: str,
    *, code: CodeSnapshot | None = None, chosen: Chosen = THE_COMPUTES, is_dry_run: bool = False,
    **changes: object,
) -> Sweep:  # fmt: skip
    return sweeps.create_sweep(
        workspace, job(name=name, **changes), compute=compute, code=code, user=user, now=now,
        rng=random.Random(1), chosen=chosen, is_dry_run=is_dry_run,
    )  # fmt: skip


def _audited(workspace: Workspace, owner: User) -> None:
    """Some entries of the audit log, one of them with much in it."""
    by = actor.Actor(actor.Origin.REST, lambda: owner, lambda: "192.0.2.7", "sst_abcd", "req-1")
    much = {f"field_{n}": (f"before {n} " * 9, "after" * 40) for n in range(9)}
    with actor.acting(by), transaction.atomic():
        audit.note("changed", "sweep", "going", workspace=workspace, changes=much)
        audit.note("signed in", "session", "alice")


def _channels(workspace: Workspace, now: datetime) -> None:
    """Two, one of which is off; tests to the other that wait, were sent, and were given up."""
    common = {"workspace": workspace, "kind": "slack", "address": "https://hooks.example.org/T/B"}
    channel = Channel.objects.create(name="room", **common)
    Channel.objects.create(name="hall", is_on=False, **common)
    for outcome in ("", "sent", "failed"):
        delivery = notices.send_test(channel, "alice", now)
        if outcome and (trying := notices.claim(delivery.pk, now)):
            end_it = notices.mark_sent if outcome == "sent" else notices.put_off
            end_it(trying, "204 in 0.1 s" if outcome == "sent" else "It answered 500.", now)


def _environment(workspace: Workspace, now: datetime) -> Recipe:
    """It is being built."""
    recipe = recipe_of(Environment.objects.create(workspace=workspace, name="trees", source="six"))
    assert recipe is not None
    build = environments.build_of(recipe, now)
    environments.ask_for(build.digest)
    assert environments.begin_build(build, "handle", now)
    build.refresh_from_db()
    places.prepare(environments_root(), build.digest, recipe, build.tries)
    folder = log_folder(build)
    assert folder is not None
    (folder / "stdout.log").write_text("Resolved 40 packages\n")
    return recipe


def _going(sweep: Sweep, now: datetime) -> None:
    """Trial 0 is the best, 1 runs, 2 has crashed, 3 waits; it was edited."""
    sweep.experiment_id = "1"
    sweep.save()
    curves = {0: [0.5, float("nan"), 0.25], 1: [0.9, 0.8], 2: [float("inf")]}
    for number, values in curves.items():
        attempt = start(_next(sweep, now), now, Path(f"/spool/{sweep.uid}"))
        assert attempt.trial.number == number
        log(attempt, values)
        folder = spool_of(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stdout.log").write_text("epoch 1\nepoch 2\n")
        file = artifacts_at(sweep.experiment_id, attempt.run_id) / MODEL
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\0")
        if number != 1:
            end(attempt, now, CRASH if number else DONE)
    sweeps.advance(sweep.pk, now)
    edits.edit_sweep(sweep, {"description": "The second search."}, actor="alice", now=now)


def _next(sweep: Sweep, now: datetime) -> int:
    queued = sweep.trials.filter(status="Queued").order_by("number").first()
    return queued.pk if queued else sweeps.advance(sweep.pk, now).trials[0]
