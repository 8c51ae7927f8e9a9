"""No studio within reach of others without somebody who can sign in; and how to get one."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from studio import bootstrap
from studio.models import AuditEntry, Session, User
from studio.supervisor.home import free_port
from tests.e2e.studios import manage

STRONG = "correct horse 9 battery"


def owner(monkeypatch: Any, name: str, password: str, *words: str) -> str:
    """Run the command with this on standard input; returns what it prints."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    monkeypatch.setattr(bootstrap, "migrate", lambda: None)
    call_command("owner", name, *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("host", "url", "told"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000", "STUDIO_HOST (0.0.0.0)"),
        ("::", "http://127.0.0.1:8000", "STUDIO_HOST (::)"),
        ("192.168.1.5", "http://192.168.1.5:8000", "STUDIO_HOST (192.168.1.5)"),
        ("127.0.0.1", "https://studio.example.org", "STUDIO_URL (studio.example.org)"),
    ],
)
def test_within_reach_it_needs_an_owner(
    db: None, settings: Any, monkeypatch: Any, host: str, url: str, told: str
) -> None:
    settings.STUDIO_HOST, settings.STUDIO_URL = host, url
    bootstrap.first_rows(timezone.now())
    with pytest.raises(ImproperlyConfigured) as refusal:
        bootstrap.refuse_without_owner()
    assert str(refusal.value).startswith(f"{told} is within reach of other machines")
    assert "manage.py owner NAME" in str(refusal.value)
    owner(monkeypatch, "ann", STRONG)
    bootstrap.refuse_without_owner()
    User.objects.filter(username="ann").update(is_active=False)
    with pytest.raises(ImproperlyConfigured):
        bootstrap.refuse_without_owner()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("127.8.0.1", "http://localhost:8000"),
        ("localhost", "http://studio.localhost:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_on_loopback_it_starts_without(db: None, settings: Any, host: str, url: str) -> None:
    settings.STUDIO_HOST, settings.STUDIO_URL = host, url
    bootstrap.refuse_without_owner()


def test_the_first_start_makes_no_password(db: None) -> None:
    made = bootstrap.first_rows(timezone.now())
    assert not made.has_usable_password()
    for password in ("", "owner", "admin", "password", made.password, made.password[1:]):
        assert not made.check_password(password)
        answer = Client().post("/accounts/login/", {"username": "owner", "password": password})
        assert answer.status_code == 200


def test_the_command_makes_an_administrator_once(db: None, monkeypatch: Any) -> None:
    said = owner(monkeypatch, "ann", STRONG, "--email", "ann@example.org")
    assert said == "ann is an administrator now.\n"
    ann = User.objects.get()
    assert (ann.is_superuser, ann.is_active, ann.email) == (True, True, "ann@example.org")
    assert bootstrap.first_rows(timezone.now()) == ann
    body = {"username": "ann", "password": STRONG}
    assert Client().post("/accounts/login/", body).status_code == 302
    assert STRONG not in str(list(AuditEntry.objects.values()))


def test_a_link_is_the_first_administrators_unless_another_is_named(
    db: None, monkeypatch: Any, alice: User
) -> None:
    with pytest.raises(CommandError, match="There is no active administrator"):
        call_command("signin")
    owner(monkeypatch, "ann", STRONG)
    for words, name in (((), "ann"), (("--user", "alice"), "alice")):
        out = io.StringIO()
        call_command("signin", *words, stdout=out)
        client = Client()
        client.get("/" + out.getvalue().strip().split("/", 3)[3])
        assert client.session["_auth_user_id"] == str(User.objects.get(username=name).pk)
    with pytest.raises(CommandError, match="There is no active account “nobody”"):
        call_command("signin", "--user", "nobody")


def test_it_lets_a_locked_out_one_in_again(db: None, monkeypatch: Any, alice: User) -> None:
    Client().force_login(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    said = owner(monkeypatch, "alice", STRONG)
    assert said == "alice has a new password and is an administrator.\n"
    alice.refresh_from_db()
    assert alice.is_superuser
    assert alice.is_active
    assert alice.check_password(STRONG)
    assert not Session.objects.filter(user=alice).exists()


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("ann", "", "too short"),
        ("ann", "1234567890", "entirely numeric"),
        ("ann-marie-smith", "ann-marie-smith", "too similar to the username"),
        ("a b", STRONG, "Enter a valid username."),
        ("ALICE", STRONG, "There is an account “alice” already"),
    ],
)
def test_what_is_wrong_is_said(
    alice: User, monkeypatch: Any, name: str, password: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        owner(monkeypatch, name, password)
    assert list(User.objects.values_list("username", "is_superuser")) == [("alice", False)]


def test_passwords_that_differ_change_nothing(db: None, monkeypatch: Any) -> None:
    typed = iter((STRONG, f"{STRONG}!"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(bootstrap, "migrate", lambda: None)
    with pytest.raises(CommandError, match="These two differ"):
        call_command("owner", "ann")
    assert not User.objects.exists()


@pytest.mark.long
def test_a_real_start_refuses_in_one_line(tmp_path: Path) -> None:
    done = manage(tmp_path, free_port(), "studio", STUDIO_HOST="0.0.0.0")
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("studio: STUDIO_HOST (0.0.0.0) is within reach of other machines")
