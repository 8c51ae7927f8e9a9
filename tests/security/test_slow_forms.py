"""A form that is long under way counts for who is signed in when it has come."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from studio import middleware
from studio.models import Session, User, Workspace
from sweeps.models import Environment

PAGE = "/w/default/environments/new"
FORM = "name=mine&kind=requirements&source=six&description="


class Coming:
    """A body that takes a while, in which something happens."""

    def __init__(self, text: str, happens: Callable[[], object]) -> None:
        self._left, self._happens = text.encode(), happens

    def read(self, _size: int = -1) -> bytes:
        if self._left:
            self._happens()
        text, self._left = self._left, b""
        return text

    def readline(self, _size: int = -1) -> bytes:
        return self.read()


def post(client: Client, happens: Callable[[], object], **meta: str) -> Any:
    environ: dict[str, Any] = {
        "wsgi.input": Coming(FORM, happens),
        "CONTENT_LENGTH": str(len(FORM)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        **meta,
    }
    return client.generic("POST", PAGE, **environ)


@pytest.fixture
def signed_in(client: Client, bob: User, compute: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(middleware, "SLOW_S", -1.0)  # every form has taken long
    client.force_login(bob)
    return client


def test_a_slow_form_is_taken(signed_in: Client, workspace: Workspace) -> None:
    assert post(signed_in, lambda: None).status_code == 302
    assert Environment.objects.get().name == "mine"


def test_one_whose_session_was_ended_meanwhile_is_nobodys(
    signed_in: Client, workspace: Workspace
) -> None:
    answer = post(signed_in, Session.objects.all().delete)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    assert not Environment.objects.exists()


def test_whom_a_proxy_names_is_looked_up_when_it_has_come(
    signed_in: Client, bob: User, workspace: Workspace, settings: Any
) -> None:
    settings.STUDIO_PROXY_USER_HEADER = "X-Remote-User"
    settings.STUDIO_PROXY_TRUSTED = [ip_network("127.0.0.1")]

    def locked_out() -> None:
        User.objects.filter(pk=bob.pk).update(is_active=False)

    answer = post(signed_in, locked_out, HTTP_X_REMOTE_USER="bob")
    assert answer.status_code in (302, 404)
    assert not Environment.objects.exists()


def test_one_that_comes_at_once_costs_no_further_look(
    client: Client, bob: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(bob)
    monkeypatch.setattr(
        "studio.sessions.SessionStore.exists", lambda *_: pytest.fail("it was looked at again")
    )
    assert post(client, lambda: None).status_code == 302


def test_a_form_has_so_much_text(client: Client, bob: User, workspace: Workspace) -> None:
    client.force_login(bob)
    fields = {"name": "mine", "kind": "requirements", "source": "six", "description": "é" * 10}
    most = middleware.FORM_TEXT
    answer = client.post(PAGE, fields | {"more": "é" * most})
    assert (answer.status_code, Environment.objects.exists()) == (413, False)
    assert "2,000,000 characters" in answer.content.decode()
    used = sum(len(text) for text in fields.values())
    assert client.post(PAGE, fields | {"more": "é" * (most - used)}).status_code == 302
