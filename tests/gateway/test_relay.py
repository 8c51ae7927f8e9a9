"""Carriers' requests as they come to the studio: who is let in, and what is answered."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from sweeps.runners import attempts, spool
from sweeps.runners.relay import desk, keys
from tests.runners.contract import launch

TICKET, SECRET = "the ticket of the job", "a secret of the carrier"
KEY = "0a" * 16


@pytest.fixture
def home(tmp_path: Path, settings) -> Path:
    settings.STUDIO_HOME = tmp_path
    return tmp_path


@pytest.fixture
def folder(home: Path) -> str:
    """An attempt that was handed in, and may read one file."""
    (home / "data.csv").write_text("a,b\n")
    made = home / "trials" / "s" / "1.1"
    relay = {
        "ticket": desk.fingerprint(TICKET), "key": KEY, "keys": str(home / "relay"),
        "spool": str(made), "lease_s": 900.0, "python": "", "machine": [],
        "lent": [str(home / "data.csv")], "files": 3, "size": 1000,
    }  # fmt: skip
    assert attempts.claim(launch(made, "true"), str(made), relay=relay)
    keys.put(str(home / "relay"), KEY, str(made))
    return str(made)


def ask(client: Client, verb: str, body: object, bearer: str = SECRET, key: str = KEY):
    data = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"Authorization": f"Bearer {bearer}"}
    return client.post(f"/relay/{key}/{verb}", data, "application/octet-stream", headers=headers)


@pytest.fixture
def carrier(client: Client, folder: str) -> Client:
    assert ask(client, "claim", {"secret": SECRET, "host": "node"}, TICKET).status_code == 200
    return client


def test_an_attempt_goes_its_whole_way_without_a_row_being_read(
    carrier: Client, folder: str
) -> None:
    """No row: the test has no database."""
    told = ask(carrier, "tell", {"stdout": {"at": 0, "data": "aGk="}}).json()
    assert (told["stdout"], told["stop"]) == (2, None)
    file = ask(carrier, "lent", {"number": 0, "name": ""})
    assert file.getvalue() == b"a,b\n"
    assert file.headers["Content-Length"] == "4"
    assert ask(carrier, "outputs?at=0", b"no archive").json() == {"at": 10}
    result = {
        "ended_by": "exit", "exit_code": 0, "signal": None, "started_at": 1.0,
        "ended_at": 2.0, "peak_memory_bytes": None, "message": "",
    }  # fmt: skip
    assert ask(carrier, "end", {"result": result}).json() == {}
    assert Path(folder, "stdout.log").read_bytes() == b"hi"
    found = spool.read_result(folder)
    assert found is not None
    assert found.exit_code == 0


@pytest.mark.parametrize("bearer", ["", TICKET, "guessed", "x" * 201, "é"])
@pytest.mark.parametrize("verb", ["tell", "outputs", "end", "lent"])
def test_nobody_but_its_carrier_is_let_in(carrier: Client, verb: str, bearer: str) -> None:
    answer = ask(carrier, verb, {"number": 0, "name": ""}, bearer)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("key", ["0b" * 16, "x", KEY.upper(), "%2e%2e"])
def test_a_key_that_opens_nothing_is_told_that_all_is_over(carrier: Client, key: str) -> None:
    assert ask(carrier, "tell", {}, key=key).status_code == 410


def test_what_is_over_is_told_so(carrier: Client, folder: str) -> None:
    attempts.lost(folder, "its node failed")
    assert ask(carrier, "tell", {}).status_code == 410


def test_only_posts_are_answered_and_no_session_is_made(carrier: Client) -> None:
    assert carrier.get(f"/relay/{KEY}/tell").status_code == 405
    assert "Set-Cookie" not in ask(carrier, "tell", {}).headers
    assert ask(carrier, "tell", b"{").status_code == 400
    assert ask(carrier, "nonsense", {}).status_code == 400


def test_a_body_has_an_end(carrier: Client) -> None:
    large = bytes(int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + 1)
    assert ask(carrier, "outputs?at=0", large).status_code == 413
