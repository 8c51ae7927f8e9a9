"""A request that is sent again under the same Idempotency-Key makes nothing new."""

from typing import Any

import pytest

from sweeps.models import Sweep, Trial
from tests.api.conftest import Caller
from tests.api.test_submit import JOB

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
