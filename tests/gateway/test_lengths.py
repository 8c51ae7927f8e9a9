"""Names that MLflow would take at any length have one here."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from studio.models import Role
from sweeps.engine.forward import groups
from sweeps.gateway.payloads import BadPayload, parse
from sweeps.models import OutboxEntry
from tests.gateway.conftest import Api

POINT = {"key": "m", "value": 1.0, "timestamp": 1, "step": 0}


@pytest.mark.parametrize(("field", "most"), [("model_id", 64), ("dataset_name", 500)])
def test_what_ties_a_metric_has_a_bound(field: str, most: int) -> None:
    body: dict[str, Any] = {"run_id": "r", "metrics": [{**POINT, field: "x" * most}]}
    assert parse("log-batch", json.dumps(body).encode()).metrics
    body["metrics"] = [{**POINT, field: "x" * (most + 1)}]
    with pytest.raises(BadPayload, match=field):
        parse("log-batch", json.dumps(body).encode())


@pytest.mark.django_db(transaction=True)
def test_names_of_models_and_runs_have_a_bound(member: Callable[[Role], Api]) -> None:
    api = member(Role.CONTRIBUTOR)
    assert api.post("registered-models/create", name="n" * 400).is_success
    for path, body in (
        ("registered-models/create", {"name": "n" * 501}),
        ("registered-models/rename", {"name": "n" * 400, "new_name": "n" * 501}),
        ("registered-models/rename", {"name": "n" * 400, "newName": "n" * 501}),
        ("registered-models/set-tag", {"name": "n" * 400, "key": "k" * 501, "value": "v"}),
    ):
        answer = api.post(path, **body)
        assert answer.status_code == 400, path
        assert "500 characters at most" in answer.json()["message"]
    assert api("DELETE", "registered-models/delete", json={"name": "n" * 400}).is_success


def test_what_is_sent_at_once_has_a_bound() -> None:
    tag = {"tags": [{"key": "k", "value": "x" * 300_000}]}
    entries = [OutboxEntry(body=tag) for _ in range(7)]
    assert [len(group) for group in groups(entries)] == [3, 3, 1]
    large = OutboxEntry(body={"tags": [{"key": "k", "value": "x" * 2_000_000}]})
    assert [len(group) for group in groups([entries[0], large, entries[0]])] == [1, 1, 1]
