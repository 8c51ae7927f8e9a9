"""While the database is away everybody is told so, in their own form, and nobody gets a 500."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client


@pytest.fixture
def client(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.fixture
def away(db: None, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[None]:
    """Every query fails as it does after the server's end."""

    def fail(*_: object, **__: object) -> None:
        raise getattr(request, "param", OperationalError)("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", fail)
        yield


@pytest.mark.parametrize("away", [OperationalError, InterfaceError], indirect=True)
@pytest.mark.parametrize("path", ["/w/default/sweeps/", "/", "/accounts/link/x/"])
def test_a_page_says_so_plainly(client: Client, away: None, path: str) -> None:
    client.cookies["studio_session_8000"] = "x" * 32
    response = client.get(path)
    if path == "/" and response.status_code == 302:
        pytest.fail("the session was not looked up")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "The database does not answer at the moment" in response.content.decode()
    assert "Content-Security-Policy" in response


def test_the_api_says_so_in_json(client: Client, away: None) -> None:
    path = "/api/v1/workspaces/default/sweeps"
    response = client.get(path, headers={"Authorization": "Bearer sst_x"})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    body = response.json()
    assert body["error"]["code"] == "unavailable"
    assert body["errors"] == [body["error"]]


def test_mlflows_client_is_told_to_try_again(client: Client, away: None) -> None:
    path = "/tracking/default/api/2.0/mlflow/runs/log-metric"
    headers = {"Authorization": "Bearer stt_x"}
    response = client.post(path, "{}", content_type="application/json", headers=headers)
    assert response.status_code == 503
    assert response.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_health_says_that_it_is_the_database(client: Client, away: None) -> None:
    response = client.get("/healthz")
    assert response.status_code == 503
    parts = response.json()["parts"]
    assert (parts["web"], parts["database"]) == ("up", "down")


@pytest.mark.parametrize("away", [DatabaseError, ValueError], indirect=True)
def test_other_trouble_is_our_fault(client: Client, away: None) -> None:
    response = client.get("/accounts/link/x/")
    assert response.status_code == 500
    assert "Retry-After" not in response
    assert "Something broke" in response.content.decode()
