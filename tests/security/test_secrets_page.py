"""Secrets of a workspace: set and never shown, by page and over REST."""

import stat
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from studio import vault
from studio.models import Secret, Workspace
from studio.secret_services import SecretMissing, reveal, set_secret
from sweeps.models import Channel

URL = "/w/default/settings/secrets/"
API = "/api/v1/workspaces/default/secrets"
CANARY = "canary/Se+cret=42"


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.STUDIO_HOME = tmp_path
    return tmp_path


def dump(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return str(cursor.fetchall())


def test_an_owner_sets_a_secret_that_no_page_shows(client, alice, bob, workspace, home):
    client.force_login(alice)
    posted = {"name": "HF_TOKEN", "value": f"{CANARY}\r\nsecond\r\n"}
    assert client.post(URL, posted).headers["Location"] == URL
    assert reveal(workspace, ["HF_TOKEN"], timezone.now()) == {"HF_TOKEN": f"{CANARY}\nsecond"}
    page = client.get(URL).content.decode()
    assert "${{secrets.HF_TOKEN}}" in page
    assert CANARY not in page
    assert CANARY not in dump("studio_secret")
    assert stat.S_IMODE((home / "secrets.key").stat().st_mode) == 0o600
    client.force_login(bob)
    assert "HF_TOKEN" in client.get(URL).content.decode()
    assert "secret-form" not in client.get(URL).content.decode()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("1x", CANARY, "not starting with a digit"),
        ("", CANARY, "Name the secret."),
        ("OK", "12345", "6 characters at least"),
        ("OK", "", "Give the value."),
        ("OK", CANARY * 5000, "at most"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(client, alice, workspace, name, value, says):
    client.force_login(alice)
    answer = client.post(URL, {"name": name, "value": value})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "canary" not in answer.content.decode()
    assert not Secret.objects.exists()


def test_only_owners_change_and_readers_see_nothing(client, bob, rita, charlie, workspace):
    set_secret(workspace, "A", CANARY, None, timezone.now())
    for user, sees in ((bob, 200), (rita, 404), (charlie, 404)):
        client.force_login(user)
        assert client.get(URL).status_code == sees
        assert client.post(URL, {"name": "A", "value": "another"}).status_code == 404
        assert client.post(f"{URL}A/delete").status_code == 404
    assert reveal(workspace, ["A"], timezone.now()) == {"A": CANARY}


def test_deleting_warns_of_what_uses_it(client, alice, workspace, compute, make_sweep):
    set_secret(workspace, "A", CANARY, None, timezone.now())
    make_sweep(name="mine", environment_variables={"X": "u:${{ secrets.A }}@h"})
    compute.environment_variables = {"Y": "${{secrets.A}}"}
    compute.save()
    client.force_login(alice)
    page = client.get(URL).content.decode()
    assert "Used by mine, local: trials that start from now on fail" in page
    assert client.post(f"{URL}A/delete").headers["Location"] == URL
    assert not Secret.objects.exists()


def test_rest_takes_values_and_gives_names(client, alice, bob, workspace):
    from studio.models import Role
    from studio.services import create_token

    now = timezone.now()
    token = create_token(workspace, alice, role=Role.OWNER, name="t", now=now).secret
    sent = {"headers": {"Authorization": f"Bearer {token}"}, "content_type": "application/json"}
    put = client.put(f"{API}/A", {"value": CANARY}, **sent)
    assert (put.status_code, set(put.json())) == (
        201,
        {"name", "created_at", "changed_at", "last_used_at"},
    )
    assert client.put(f"{API}/A", {"value": f"{CANARY}2"}, **sent).status_code == 200
    assert reveal(workspace, ["A"], now) == {"A": f"{CANARY}2"}
    for wrong in ({"value": 4242424242}, {"value": CANARY, "more": CANARY}, [CANARY]):
        refused = client.put(f"{API}/A", wrong, **sent)
        assert refused.status_code == 422
        assert b"canary" not in refused.content
        assert b"4242" not in refused.content
    listed = client.get(API, **sent)
    assert [one["name"] for one in listed.json()["items"]] == ["A"]
    assert b"canary" not in listed.content
    assert client.delete(f"{API}/A", **sent).status_code == 204
    assert client.delete(f"{API}/A", **sent).status_code == 404


def test_a_secret_is_used_in_its_own_workspace_only(workspace, charlie, now):
    set_secret(workspace, "A", CANARY, None, now)
    with pytest.raises(SecretMissing, match="Settings, Secrets"):
        reveal(Workspace.objects.get(name="elsewhere"), ["A"], now)
    reveal(workspace, ["A"], now)
    reveal(workspace, ["A"], now + timedelta(seconds=5))
    assert Secret.objects.get().last_used_at == now


def test_a_new_key_opens_everything_and_the_old_one_nothing(workspace, now, home):
    set_secret(workspace, "A", CANARY, None, now)
    Channel.objects.create(
        workspace=workspace, name="c", kind="slack", address=f"https://x/{CANARY}"
    )
    former = (home / "secrets.key").read_text()
    sealed = Secret.objects.get().sealed
    said = StringIO()
    call_command("rotate_key", stdout=said)
    assert said.getvalue().startswith("2 secrets are sealed")
    assert former.strip() not in (home / "secrets.key").read_text()
    assert Secret.objects.get().sealed != sealed
    assert reveal(workspace, ["A"], now) == {"A": CANARY}
    assert Channel.objects.get().address == f"https://x/{CANARY}"
    with pytest.raises(vault.SealBroken):
        vault.unseal(sealed)


def test_a_lost_key_is_told_and_rotation_drops_nothing(workspace, now, home):
    set_secret(workspace, "A", CANARY, None, now)
    (home / "secrets.key").unlink()
    with pytest.raises(SecretMissing, match="cannot be opened"):
        reveal(workspace, ["A"], now)
    kept = (home / "secrets.key").read_text().strip()
    with pytest.raises(CommandError, match="All keys are kept"):
        call_command("rotate_key")
    assert kept in (home / "secrets.key").read_text()


def test_an_error_page_tells_nothing(client, alice, workspace, settings, monkeypatch, caplog):
    from sweeps.views import secrets as page

    def breaks(*_args):
        raise RuntimeError("It broke.")

    settings.SECRET_KEY = "canary-key-of-this-server"
    settings.STUDIO_SMTP_URL = "smtp://u:canary-smtp@mail"
    client.force_login(alice)
    client.raise_request_exception = False
    monkeypatch.setattr(page, "set_secret", breaks)
    answer = client.post(URL, {"name": "A", "value": CANARY})
    assert answer.status_code == 500
    assert b"canary" not in answer.content
    assert "It broke." in caplog.text
    assert "canary" not in caplog.text


def test_addresses_and_signing_secrets_of_channels_are_sealed(workspace):
    Channel.objects.create(
        workspace=workspace, name="c", kind="webhook", address=f"https://x/{CANARY}", secret=CANARY
    )
    assert CANARY not in dump("sweeps_channel")
    found = Channel.objects.get()
    assert (found.address, found.secret) == (f"https://x/{CANARY}", CANARY)
