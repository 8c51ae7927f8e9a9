"""A request for each route by which a person can change something, and the entry that it leaves.

`PAGES` is in the order in which the steps are taken: what one makes, a later one changes or
deletes. A route that is in none of these tables fails `test_audit_walk.py`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from studio.models import (
    ApiToken,
    Invitation,
    Membership,
    Role,
    Session,
    User,
    Workspace,
)
from studio.people.identities import Known, connect
from studio.people.invitations import invite
from studio.people.passwords import new_sign_in_link
from studio.sessions import kept_as
from sweeps.models import Channel, Delivery, EnvironmentBuild
from tests.pages.new_sweep_form import COMPLETE
from tests.pages.posted import PostedForm

WS = "w/<str:ws>/"
DEFAULT, SWEEPS = "/w/default/", "/w/default/sweeps/"
SWEEP = f"{WS}sweeps/<str:name>/"
TRIAL = f"{SWEEP}trials/<int:number>/"
CANARY = "canary-9f2c"


@dataclass(frozen=True, slots=True)
class Stage:
    """Alice, an administrator who owns the workspace `default`, in her browser; bob and rita."""

    client: Client
    alice: User
    bundle: bytes

    def fields(self, address: str, form: str, **changes: Any) -> dict[str, Any]:
        """What the form of a page holds, with some of it changed."""
        return PostedForm(self.client.get(address).content.decode(), form).with_(**changes)


@dataclass(frozen=True, slots=True)
class Step:
    """A POST to `path` (or the route's own address), and the noun of its entry."""

    route: str
    noun: str
    data: dict[str, Any] | Callable[[Stage], dict[str, Any]]
    path: str | Callable[[Stage], str] = ""


def step(
    route: str,
    noun: str,
    data: dict[str, Any] | Callable[[Stage], dict[str, Any]] | None = None,
    path: str | Callable[[Stage], str] = "",
) -> Step:
    """A step without data sends none."""
    return Step(route, noun, data or {}, path)


def _member(stage: Stage) -> int:
    return Membership.objects.get(user__username="rita", workspace__name="default").pk


def _token(name: str) -> Callable[[Stage], str]:
    def path(stage: Stage) -> str:
        pk = ApiToken.objects.get(name=name).pk
        own = name == "own"
        return f"/accounts/tokens/{pk}/revoke" if own else f"/w/default/settings/tokens/{pk}/revoke"

    return path


def _channel(verb: str) -> Callable[[Stage], str]:
    def path(stage: Stage) -> str:
        pk = Channel.objects.get(name="hook").pk
        return f"/w/default/settings/notifications/{pk}/{verb}"

    return path


def _given_up(stage: Stage) -> str:
    pk = Delivery.objects.filter(state=Delivery.FAILED).first().pk
    return f"/w/default/settings/notifications/deliveries/{pk}/retry"


def _build(stage: Stage) -> str:
    EnvironmentBuild.objects.update(state=EnvironmentBuild.FAILED)
    digest = EnvironmentBuild.objects.get(sweeps__name="built").pk
    return f"/w/default/environments/-/builds/{digest}/again"


def _cancelled(stage: Stage) -> str:
    return _build(stage).replace("/again", "/cancel")


def _other_session(stage: Stage) -> str:
    other = Client()
    other.force_login(stage.alice)
    mine = stage.client.session.session_key
    known = {s.pk for s in Session.objects.filter(user=stage.alice)}
    [found] = known - {kept_as(mine)}
    return f"/accounts/sessions/{found}/end"


def _several_sessions(stage: Stage) -> dict[str, Any]:
    Client().force_login(stage.alice)
    return {}


def _invitation(stage: Stage) -> str:
    """An invitation for alice herself, into the workspace that she left."""
    place = Workspace.objects.get(name="fresh")
    made = invite(place, stage.alice, role=Role.READER, now=timezone.now(), note="again")
    return f"/accounts/invitation/{made.link.rstrip('/').rpartition('/')[2]}/"


def _link(stage: Stage) -> str:
    return "/" + new_sign_in_link(stage.alice, timezone.now()).split("/", 3)[3]


def _connected(stage: Stage) -> str:
    known = Known("https://id.example.org", "subject-1")
    connect(stage.alice, known, timezone.now())
    return "/accounts/disconnect"


def _left(stage: Stage) -> str:
    """A workspace with another owner, for the last one may not leave."""
    place = Workspace.objects.get(name="fresh")
    bob = User.objects.get(username="bob")
    Membership.objects.create(workspace=place, user=bob, role=Role.OWNER)
    return "/w/fresh/leave"


def _pending(stage: Stage) -> str:
    pk = Invitation.objects.get(note="Ann").pk
    return f"/w/default/settings/invitations/{pk}/revoke"


def _person(verb: str) -> Callable[[Stage], str]:
    return lambda stage: f"/people/{User.objects.get(username='rita').pk}/{verb}"


def _new_sweep(stage: Stage) -> dict[str, Any]:
    address = f"{SWEEPS}new"
    return stage.fields(address, "sweep-form", **COMPLETE) | {"action": "submit"}


def _import(stage: Stage) -> dict[str, Any]:
    return {"bundle": SimpleUploadedFile("b.zip", io.BytesIO(stage.bundle).read())}


def _picked(stage: Stage) -> dict[str, Any]:
    return stage.fields(f"{SWEEPS}going/trials/new", "pick-form") | {"action": "add"}


_EDITED = {"was-description": "", "description": "another text", "action": "save"}
_COMPUTE = {
    "name": "big", "slots": "3", "environment_variables-name": "KEY",
    "environment_variables-value": CANARY,
}  # fmt: skip
_HOOK = {
    "name": "hook",
    "kind": "webhook",
    "address": f"https://example.org/{CANARY}",
    "on_ended": "on",
}
_PASSWORD = {"new_password1": f"{CANARY}-new-1", "new_password2": f"{CANARY}-new-1"}

_KEY = f"{DEFAULT}settings/secrets/KEY/delete"
_E1 = f"{DEFAULT}environments/e1/"
_BIG = f"{DEFAULT}computes/big/"
_MOVED = {"name": "hook", "address": f"https://example.org/{CANARY}/2", "on_best": "on"}

PAGES: tuple[Step, ...] = (
    step("accounts/", "account", {"first_name": "Alice A.", "email": "a@example.org"}),
    step("accounts/sessions/<str:digest>/end", "session", path=_other_session),
    step("accounts/sessions/end", "session", _several_sessions),
    step("accounts/disconnect", "account", path=_connected),
    step("workspaces/new", "workspace", {"name": "fresh", "title": "", "description": ""}),
    step(f"{WS}archive", "workspace", path="/w/fresh/archive"),
    step(f"{WS}restore", "workspace", path="/w/fresh/restore"),
    step(f"{WS}settings/", "workspace", {"title": "Vision", "description": ""}),
    step(f"{WS}settings/members", "member", {"username": "charlie", "role": "reader"}),
    step(
        f"{WS}settings/members/<int:pk>/role", "member", {"role": "contributor"},
        lambda stage: f"/w/default/settings/members/{_member(stage)}/role",
    ),
    step(
        f"{WS}settings/members/<int:pk>/remove", "member",
        path=lambda stage: f"/w/default/settings/members/{_member(stage)}/remove",
    ),
    step(f"{WS}leave", "member", path=_left),
    step("accounts/invitation/<str:secret>/", "member", path=_invitation),
    step(f"{WS}settings/invitations", "invitation", {"note": "Ann", "role": "reader"}),
    step(f"{WS}settings/invitations/<int:pk>/revoke", "invitation", path=_pending),
    step("people/<int:pk>/promote", "account", path=_person("promote")),
    step("people/<int:pk>/demote", "account", path=_person("demote")),
    step("people/<int:pk>/deactivate", "account", path=_person("deactivate")),
    step("people/<int:pk>/reactivate", "account", path=_person("reactivate")),
    step("people/<int:pk>/link", "account", path=_person("link")),
    step(f"{WS}settings/secrets/", "secret", {"name": "KEY", "value": CANARY}),
    step(f"{WS}settings/secrets/<str:name>/delete", "secret", path=_KEY),
    step(f"{WS}settings/tokens", "token", {"name": "t1", "role": "reader", "days": "30"}),
    step(f"{WS}settings/tokens/<int:pk>/revoke", "token", path=_token("t1")),
    step("accounts/tokens/<int:pk>/revoke", "token", path=_token("own")),
    step(f"{WS}computes/new", "compute", _COMPUTE),
    step(f"{WS}computes/<str:name>/", "compute", _COMPUTE | {"slots": "4"}, _BIG),
    step(f"{WS}computes/<str:name>/default", "compute", path=f"{_BIG}default"),
    step(f"{WS}computes/<str:name>/test", "compute", path=f"{_BIG}test"),
    step(f"{WS}computes/<str:name>/delete", "compute", path=f"{_BIG}delete"),
    step(f"{WS}sweeps/new", "sweep", _new_sweep),
    step(f"{WS}sweeps/import", "sweep", _import),
    step(f"{WS}examples/iris", "sweep"),
    step(f"{SWEEP}pause", "sweep", path=f"{SWEEPS}going/pause"),
    step(f"{SWEEP}resume", "sweep", path=f"{SWEEPS}going/resume"),
    step(f"{SWEEP}edit", "sweep", _EDITED, f"{SWEEPS}paused/edit"),
    step(f"{SWEEP}trials/bulk", "trial", {"verb": "pin"}, f"{SWEEPS}going/trials/bulk?t=0"),
    step(f"{SWEEP}trials/new", "trial", _picked, f"{SWEEPS}going/trials/new"),
    step(f"{TRIAL}mark", "trial", {"note": "look"}, f"{SWEEPS}going/trials/0/mark"),
    step(
        f"{TRIAL}register", "model", {"name": "churn", "alias": "", "description": "", "model": ""},
        f"{SWEEPS}done/trials/0/register",
    ),
    step(f"{TRIAL}cancel", "trial", path=f"{SWEEPS}going/trials/1/cancel"),
    step(f"{TRIAL}rerun", "trial", path=f"{SWEEPS}going/trials/2/rerun"),
    step(f"{SWEEP}rerun-failed", "trial", path=f"{SWEEPS}broken/rerun-failed"),
    step(f"{SWEEP}stop", "sweep", path=f"{SWEEPS}going/stop"),
    step(f"{SWEEP}cancel", "sweep", path=f"{SWEEPS}going/cancel"),
    step(f"{WS}sweeps/selected", "sweep", {"do": "delete", "s": "done"}),
    step(
        f"{WS}environments/new", "environment",
        {"name": "e1", "kind": "requirements", "source": f"--index-url https://u:{CANARY}@x.org/s\nsix"},
    ),
    step(
        f"{WS}environments/<str:name>/", "environment",
        {"name": "e1", "kind": "requirements", "source": "tqdm"}, _E1,
    ),
    step(f"{WS}environments/<str:name>/build", "environment", path=f"{_E1}build"),
    step(f"{WS}environments/<str:name>/delete", "environment", path=f"{_E1}delete"),
    step(f"{WS}environments/-/builds/<str:digest>/again", "environment", path=_build),
    step(f"{WS}environments/-/builds/<str:digest>/cancel", "environment", path=_cancelled),
    step(f"{WS}settings/notifications/new", "channel", _HOOK),
    step(
        f"{WS}settings/notifications/<int:pk>/", "channel",
        _MOVED, _channel(""),
    ),
    step(f"{WS}settings/notifications/<int:pk>/test", "channel", path=_channel("test")),
    step(f"{WS}settings/notifications/<int:pk>/secret", "channel", path=_channel("secret")),
    step(f"{WS}settings/notifications/<int:pk>/delete", "channel", path=_channel("delete")),
    step(f"{WS}settings/notifications/deliveries/<int:pk>/retry", "channel", path=_given_up),
    step("accounts/password/", "password", {"old_password": "alice-secret-1"} | _PASSWORD),
    step("accounts/logout/", "session"),
    step("accounts/login/", "session", {"username": "bob", "password": "bob-secret-1"}),
    step("accounts/link/<str:secret>/", "session", path=_link),
)  # fmt: skip

# Routes that take a POST and leave no entry, and why.
LEFT: dict[str, str] = {
    f"{SWEEP}trials/filter": "a form that leads to an address: nothing is changed",
}
