"""A request that is sent again under the same Idempotency-Key makes nothing new."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F

from studio.models import Role
from sweeps import intake
from sweeps.models import ApiRequest, Sweep, Trial
from tests.api.conftest import Caller
from tests.api.test_submit import JOB, zipped

KEY = "Idempotency-Key"


def keyed(api: Caller, path: str, body: Any, key: str) -> Any:
    return api.post(f"/workspaces/default/sweeps{path}", body, **{KEY: key})


def test_a_sweep_is_submitted_once(api: Caller, sweep: Sweep) -> None:
    job = {name: value for name, value in JOB.items() if name != "name"}
    answers = [keyed(api, "", job, key) for key in ("a", "a", "b")]
    assert [answer.status_code for answer in answers] == [201] * 3
    first, again, other = (answer.json()["name"] for answer in answers)
    assert first == again != other


def test_a_sweep_is_cloned_once(api: Caller, sweep: Sweep) -> None:
    answers = [keyed(api, f"/{sweep.name}/clone", None, key) for key in ("a", "a", "b")]
    first, again, other = (answer.json()["name"] for answer in answers)
    assert first == again != other
    assert Sweep.objects.count() == 3


def test_a_point_is_added_once(api: Caller, sweep: Sweep) -> None:
    body = {"params": {"lr": 0.5, "boosting": "dart"}}
    answers = [keyed(api, f"/{sweep.name}/trials", body, key) for key in ("a", "a", "b")]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert [answer.json()["number"] for answer in answers] == [0, 0, 1]


@pytest.mark.parametrize("path", ["", "/{}/clone", "/{}/trials"])
def test_a_key_that_is_too_long_is_told(api: Caller, sweep: Sweep, path: str) -> None:
    response = keyed(api, path.format(sweep.name), {"params": {}}, "k" * 65)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == KEY
    assert (Sweep.objects.count(), Trial.objects.count()) == (1, 0)


@pytest.mark.parametrize("body", [JOB, {"type": "sweep"}])
def test_the_first_answer_is_given_again(api: Caller, compute: Any, body: Any) -> None:
    first, again = (keyed(api, "", body, "k") for _ in range(2))
    assert first.status_code in (201, 422)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first) == (
        "true",
        False,
    )


def test_the_key_of_another_request_is_refused(api: Caller, sweep: Sweep) -> None:
    keyed(api, f"/{sweep.name}/clone", {"name": "one"}, "k")
    for path, body in ((f"/{sweep.name}/clone", {"name": "two"}), (f"/{sweep.name}/pause", None)):
        response = keyed(api, path, body, "k")
        assert (response.status_code, response.json()["error"]["field"]) == (422, KEY)
    assert Sweep.objects.count() == 2


def test_keys_belong_to_their_token_and_last_a_day(
    api: Caller, sweep: Sweep, alice: Any, token_for: Any
) -> None:
    other = Caller(token_for(alice, Role.CONTRIBUTOR))
    path = f"/{sweep.name}/clone"
    mine, hers = (keyed(caller, path, None, "k").json()["name"] for caller in (api, other))
    assert mine != hers
    ApiRequest.objects.update(created_at=F("created_at") - timedelta(hours=25))
    assert keyed(api, path, None, "k").json()["name"] not in (mine, hers)
    assert ApiRequest.objects.count() == 1


def test_a_form_may_be_packed_anew(api: Caller, compute: Any) -> None:
    def upload(text: str) -> Any:
        path = "/api/v1/workspaces/default/code"
        parts, keys = {"code": zipped(**{"a.py": text})}, {KEY: "k"}
        return api.client.post(path, parts, headers=keys)

    with freeze_zip():
        assert [upload("x").status_code for _ in range(2)] == [201, 201]
    assert upload("y").status_code == 422


@pytest.mark.parametrize("headers", [{}, {KEY: "k"}])
@pytest.mark.parametrize("path", ["code", "data", "sweeps"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data; boundary=é", 422),
        (f"multipart/form-data; boundary={'x' * 300}", 422),
        ("application/x-www-form-urlencoded; charset=latin-1", 422),
        ("multipart/form-data; boundary=x", 413),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_in_json(
    api: Caller, compute: Any, headers: dict[str, str], path: str, kind: str, status: int
) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = part * 6_000 + b"--x--\r\n"  # more fields than Django reads
    path = f"/api/v1/workspaces/default/{path}"
    response = api.client.generic("POST", path, body, kind, headers=headers)
    assert (response.status_code, len(response.json()["errors"])) == (status, 1)


@contextmanager
def freeze_zip() -> Iterator[None]:
    """A zip holds the time of its making."""
    with mock.patch("time.time", return_value=1e9):
        yield


def test_a_conflict_may_be_tried_again_with_its_key(api: Caller, sweep: Sweep) -> None:
    path = f"/{sweep.name}/resume"
    Sweep.objects.update(status="Completed")
    assert keyed(api, path, None, "k").status_code == 409
    Sweep.objects.update(status="Queued")
    assert keyed(api, path, None, "k").status_code == 200


def test_while_it_is_carried_out_others_wait(api: Caller, sweep: Sweep, now: Any) -> None:
    path = f"/{sweep.name}/clone"
    keyed(api, path, None, "k")
    ApiRequest.objects.update(status=None, answer="")
    response = keyed(api, path, None, "k")
    assert (response.status_code, response.headers["Retry-After"]) == (409, "1")
    # Whose process died before it answered is carried out again, and makes nothing twice.
    ApiRequest.objects.update(claimed_until=now)
    assert keyed(api, path, None, "k").status_code == 200
    assert Sweep.objects.count() == 2


def test_what_broke_may_be_tried_again(api: Caller, sweep: Sweep, monkeypatch: Any) -> None:
    def broken(*args: Any, **named: Any) -> None:
        raise OSError("broken")

    api.client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("sweeps.intake.submit", broken)
        assert keyed(api, f"/{sweep.name}/clone", None, "k").status_code == 500
    assert keyed(api, f"/{sweep.name}/clone", None, "k").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_time_one_is_carried_out(
    api: Caller, sweep: Sweep, monkeypatch: Any
) -> None:
    submit, inside, go = intake.submit, threading.Event(), threading.Event()

    def slow(*args: Any, **named: Any) -> Any:
        inside.set()
        assert go.wait(20)
        return submit(*args, **named)

    monkeypatch.setattr("sweeps.intake.submit", slow)
    answers: list[Any] = []

    def first() -> None:
        try:
            answers.append(keyed(api, f"/{sweep.name}/clone", None, "k"))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    second = keyed(api, f"/{sweep.name}/clone", None, "k")
    go.set()
    thread.join()
    assert (answers[0].status_code, second.status_code) == (200, 409)
    again = keyed(api, f"/{sweep.name}/clone", None, "k")
    assert again.content == answers[0].content
    assert Sweep.objects.count() == 2
