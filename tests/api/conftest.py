"""Callers of the API, each with a token of their own role."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from studio.models import Role, User, Workspace
from studio.services import create_token

BASE = "/api/v1"


class Caller:
    """A client that sends one token; paths are relative to /api/v1."""

    def __init__(self, secret: str | None) -> None:
        # As a program calls: no cookie, no CSRF token.
        self.client = Client(
            enforce_csrf_checks=True,
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"{BASE}{path}", query)

    def post(
        self, path: str, body: Any = None, kind: str = "application/json", **headers: str
    ) -> Any:
        data = json.dumps(body) if kind == "application/json" and body is not None else body
        return self.client.post(f"{BASE}{path}", data or "", content_type=kind, headers=headers)

    def get_with(self, path: str, **headers: str) -> Any:
        return self.client.get(f"{BASE}{path}", headers=headers)

    def upload(self, path: str, **parts: Any) -> Any:
        return self.client.post(f"{BASE}{path}", parts)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = "" if body is None else json.dumps(body)
        kind = "application/json"
        return self.client.generic(method, f"{BASE}{path}", data, kind, headers=headers)


@pytest.fixture
def token_for(workspace: Workspace) -> Callable[..., str]:
    """Makes tokens of the workspace."""

    def make(user: User, role: Role, **changes: Any) -> str:
        now = timezone.now()
        place = changes.pop("workspace", workspace)
        return create_token(place, user, role=role, name="t", now=now, **changes).secret

    return make


@pytest.fixture
def api(bob: User, token_for: Callable[..., str]) -> Caller:
    """Bob's program, which may run code."""
    return Caller(token_for(bob, Role.CONTRIBUTOR))


@pytest.fixture
def reader(rita: User, token_for: Callable[..., str]) -> Caller:
    """Rita's program, which may only read."""
    return Caller(token_for(rita, Role.READER))


@pytest.fixture
def stranger(charlie: User, token_for: Callable[..., str]) -> Caller:
    """Charlie's program, whose token is for his own workspace."""
    elsewhere = charlie.workspaces.get()
    return Caller(token_for(charlie, Role.OWNER, workspace=elsewhere))


@pytest.fixture
def expired(bob: User, token_for: Callable[..., str]) -> Caller:
    """A token that ran out a second ago."""
    return Caller(token_for(bob, Role.OWNER, expires_at=timezone.now() - timedelta(seconds=1)))
