"""Everybody and everything that the matrix of pages needs, and requests that leave no trace."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from studio.models import (
    ApiToken,
    Compute,
    Invitation,
    Membership,
    Role,
    Session,
    User,
    Workspace,
)
from studio.models.token import digest
from studio.secret_services import set_secret
from studio.services import create_token
from sweeps.domain.environments import Chosen
from sweeps.intake_environments import recipe_of
from sweeps.models import Attempt, Channel, Delivery, Environment, Sweep
from sweeps.queries import boards
from sweeps.services import environments, notices
from tests.conftest import person
from tests.pages import everywhere
from tests.security.matrix.rows import Who

NOWHERE, NO_KEY, NO_DIGEST = "nothere", "987654321", "ab" * 32


@dataclass
class Stage:
    """Clients by who they are; tokens by what they may; ids by what they are of."""

    clients: dict[Who, Client] = field(default_factory=dict)
    strangers: dict[str, Client] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # Before a parameter of a route -> an own id, one of the other workspace, and none at all.
    ids: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def address(self, route: str, which: int = 0, ws: str = "default") -> str:
        """The address of a page with own ids (0), those of elsewhere (1), or missing ones (2)."""
        for before in sorted(self.ids, key=len, reverse=True):
            place, _parameter = before.rsplit("<", 1)
            at = route.find(before)
            if at >= 0:
                value = self.ids[before][which]
                route = route[: at + len(place)] + value + route[at + len(before) :]
        route = route.replace("<str:ws>", ws)
        return everywhere.sampled(route)


def set_up(owner: User, compute: Compute, now: datetime) -> Stage:
    """In "default" there is something of everything, and some of it in "elsewhere" too."""
    everywhere.set_up(owner, compute, now)
    User.objects.filter(pk=owner.pk).update(is_superuser=False)
    owner.is_superuser = False
    here, stage = compute.workspace, Stage()
    there = Workspace.objects.create(name="elsewhere", created_at=now)
    people = {
        Who.READER: person("rita", here, Role.READER),
        Who.CONTRIBUTOR: person("bob", here, Role.CONTRIBUTOR),
        Who.OWNER: owner,
        Who.ADMIN: User.objects.create_superuser("root", password="root-secret-1"),
    }
    stage.clients = {who: _signed_in(user) for who, user in people.items()}
    stranger = person("charlie", there, Role.OWNER)
    stage.strangers = {
        "of another workspace": _signed_in(stranger),
        "without a workspace": _signed_in(person("nina", None, None)),
    }
    stage.tokens = _tokens(here, people, there, stranger, now)
    _ids(stage, here, there, owner, stranger, now)
    return stage


def page_routes() -> Iterator[tuple[str, str]]:
    """Name and pattern of every page's route; REST and the gateway have tables of their own."""
    for route, entry in _walk(get_resolver().url_patterns):
        if not route.startswith(("api/", "tracking/", "relay/", "static/")):
            yield str(entry.name), route


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            yield route, entry


def _signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@contextmanager
def undone(client: Client) -> Iterator[None]:
    """What is done within leaves no row behind, and the client signed in as it was."""
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)
    boards.forget()


def ask(client: Client, method: str, address: str, **more: Any) -> tuple[int, bytes, str]:
    """Status, body and Location of an answer, read to its end and undone."""
    with undone(client):
        answer: HttpResponseBase = client.generic(method, address, **more)
        body = answer.getvalue()  # type: ignore[attr-defined]
    return answer.status_code, body, answer.headers.get("Location", "")


_CHANGING = re.compile(
    rb'(csrfmiddlewaretoken" value="|X-CSRFToken": ?"|csrf-token" content=")[^"]+'
)


def plain(body: bytes, *names: str) -> bytes:
    """A body without tokens against forgery, and without the names that were asked for."""
    body = _CHANGING.sub(rb"\1", body)
    for name in sorted(names, key=len, reverse=True):
        around = rb"(?<!\d)%b(?!\d)" if name[:1].isdecimal() else rb"%b"
        body = re.sub(around % re.escape(name.encode()), b"NAME", body)
    return body


def asked_for(address: str, other: str) -> set[str]:
    """The parts in which two addresses of one route differ, as texts write them."""
    pairs = zip(address.split("?")[0].split("/"), other.split("?")[0].split("/"), strict=True)
    found = {part for pair in pairs if pair[0] != pair[1] for part in pair} - {""}
    return found | {f"{int(part):,}" for part in found if part.isdecimal()}


def _tokens(
    here: Workspace, people: dict[Who, User], there: Workspace, stranger: User, now: datetime
) -> dict[str, str]:
    made = {
        role.value: create_token(here, people[Who[role.name]], role=role, name="t", now=now).secret
        for role in Role
    }
    owner = people[Who.OWNER]
    gone = create_token(here, owner, role=Role.OWNER, name="gone", now=now)
    ApiToken.objects.filter(pk=gone.token.pk).update(revoked_at=now)
    late = create_token(here, owner, role=Role.OWNER, name="late", now=now)
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.filter(pk=late.token.pk).update(expires_at=past)
    other = create_token(there, stranger, role=Role.OWNER, name="o", now=now).secret
    trial = "stt_of-a-running-trial"
    running = Attempt.objects.get(trial__sweep__name="going", trial__number=1)
    Attempt.objects.filter(pk=running.pk).update(token_digest=digest(trial))
    return made | {
        "revoked": gone.secret, "expired": late.secret, "elsewhere": other, "trial": trial,
    }  # fmt: skip


def _ids(
    stage: Stage, here: Workspace, there: Workspace, owner: User, stranger: User, now: datetime
) -> None:
    far = Compute.objects.create(workspace=there, name="far", slots=1, is_default=True)
    firs = Environment.objects.create(workspace=there, name="firs", source="tqdm")
    recipe = recipe_of(firs)
    assert recipe is not None
    build = environments.build_of(recipe, now)
    chosen = Chosen("firs", recipe=recipe)
    theirs = everywhere._sweep(there, far, stranger, now, "theirs", chosen=chosen)
    theirs.trials.create(number=0, params={"lr": 0.5, "boosting": "dart"})
    channel = Channel.objects.create(workspace=there, name="c", kind="slack", address="https://x/y")
    delivery = notices.send_test(channel, "charlie", now)
    set_secret(there, "FAR", "far secret", stranger, now)
    token = ApiToken.objects.get(workspace=there)
    member = Membership.objects.get(workspace=there)
    invitation = Invitation.objects.create(
        workspace=there, note="x", invited_by=stranger, digest="1" * 64,
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    mine = ApiToken.objects.filter(workspace=here, user=owner).first()
    assert mine is not None

    own_build = Sweep.objects.get(name="built").environment_build_id
    assert own_build

    def pks(own: Any, other: Any) -> tuple[str, str, str]:
        return str(own.pk), str(other.pk), NO_KEY

    stage.ids = {
        "sweeps/<str:name>/logs/environment": ("built/logs/environment",) * 3,
        "sweeps/<str:name>": ("going", "theirs", NOWHERE),
        "dry-run/<str:name>": ("dry", "theirs", NOWHERE),
        "computes/<str:name>": ("local", "far", NOWHERE),
        "environments/<str:name>": ("trees", "firs", NOWHERE),
        "secrets/<str:name>": ("HF_TOKEN", "FAR", NOWHERE),
        "builds/<str:digest>": (own_build, build.digest, NO_DIGEST),
        "notifications/<int:pk>": pks(Channel.objects.get(name="room"), channel),
        "deliveries/<int:pk>": pks(
            Delivery.objects.filter(channel__workspace=here).first(), delivery
        ),
        "settings/members/<int:pk>": pks(
            Membership.objects.get(workspace=here, user__username="bob"), member
        ),
        "settings/tokens/<int:pk>": pks(mine, token),
        "settings/invitations/<int:pk>": pks(Invitation.objects.get(workspace=here), invitation),
        "accounts/tokens/<int:pk>": pks(mine, token),
        "accounts/sessions/<str:digest>": (
            str(Session.objects.filter(user=owner).latest("expire_date").pk),
            str(Session.objects.filter(user=stranger).latest("expire_date").pk),
            NO_DIGEST,
        ),
        "people/<int:pk>": pks(User.objects.get(username="bob"), stranger),
    }
