"""One request over the tracking gateway asks MLflow for no more than MLflow's own client does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from studio.models import Role, User, Workspace
from studio.services import create_token
from sweeps.gateway import bounds, proxy, views
from sweeps.gateway.adapt import Asked
from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import ROUTES, match
from tests.gateway.test_fields import PLAIN, messages, shape

V2 = "/api/2.0/mlflow/"
PAIR = {"key": "k", "value": "v"}


def repeated(message: Any, above: str = "", depth: int = 0) -> Iterator[str]:
    """Every field of a message that may come several times."""
    for field in message.fields:
        if field.is_repeated:
            yield above + field.name
        if field.message_type and depth < 4:
            yield from repeated(field.message_type, f"{above}{field.name}.", depth + 1)


def lists() -> set[str]:
    known = messages()
    found = [known[r.method, shape(r.pattern)] for r in ROUTES if r.pattern not in PLAIN]
    return {name for message in found for name in repeated(message)}


def test_every_list_that_mlflow_reads_has_a_bound() -> None:
    found = lists()
    assert "datasets.tags" in found
    assert {name.rpartition(".")[2] for name in found} == set(bounds.MOST)


def judge(path: str, body: Any, method: str = "POST") -> None:
    matched = match(method, V2 + path)
    assert matched is not None, path
    bounds.require_bounded(matched, Asked((), body))


LONG: dict[str, tuple[str, dict[str, Any]]] = {
    "data sets of a search": ("logged-models/search", {"datasets": [{"dataset_name": "x"}] * 101}),
    "order of a search": ("logged-models/search", {"order_by": [{"field_name": "a"}] * 21}),
    "order of runs": ("runs/search", {"order_by": ["metrics.x"] * 21}),
    "order of runs, spelled otherwise": ("runs/search", {"orderBy": ["metrics.x"] * 21}),
    "one long order": ("runs/search", {"order_by": ["(" * 501]}),
    "one long order that is no list": ("experiments/search", {"orderBy": "(" * 501}),
    "one long order within": ("logged-models/search", {"order_by": [{"field_name": "(" * 501}]}),
    "experiments": ("runs/search", {"experiment_ids": ["1"] * 1001}),
    "tags of a run": ("runs/create", {"tags": [PAIR] * 101}),
    "tags of a model": ("registered-models/create", {"name": "m", "tags": [PAIR] * 101}),
    "params of a logged model": ("logged-models", {"params": [PAIR] * 101}),
    "data sets of a run": ("runs/log-inputs", {"datasets": [{"dataset": {}}] * 101}),
    "tags of a data set": ("runs/log-inputs", {"datasets": [{"tags": [PAIR] * 101}]}),
    "models of a run": ("runs/log-inputs", {"models": [{"model_id": "m"}] * 101}),
    "metrics": ("runs/log-batch", {"metrics": [{"key": "k", "value": 1}] * 1001}),
    "what MLflow does not know": ("runs/create", {"x": [[1] * 101]}),
    "lists of lists": ("runs/create", {"x": [[[1] * 90] * 90]}),
    "an object of many": ("runs/create", {str(number): number for number in range(5001)}),
}


@pytest.mark.parametrize("what", LONG)
def test_what_is_longer_is_refused(what: str) -> None:
    with pytest.raises(Refusal) as refused:
        judge(*LONG[what])
    assert refused.value.status == 400
    assert "at most" in refused.value.message


def test_a_long_query_is_refused() -> None:
    for path, query in (
        ("registered-models/search", [("order_by", "name")] * 21),
        ("model-versions/search", [("order_by", "(" * 501)]),
        ("metrics/get-history-bulk-interval", [("run_ids", "r")] * 101),
        ("metrics/get-history-bulk-interval", [("runIds", "r")] * 101),
    ):
        matched = match("GET", V2 + path)
        assert matched is not None
        with pytest.raises(Refusal):
            bounds.require_bounded(matched, Asked(tuple(query), None))


def test_what_mlflows_client_sends_at_most_passes() -> None:
    metric = dict.fromkeys(("key", "timestamp", "step", "run_id", "model_id", "value"), "1")
    names = {"dataset_name": "d", "dataset_digest": "d"}
    judge("runs/log-batch", {"run_id": "r", "metrics": [metric | names] * 1000})
    judge("runs/log-batch", {"params": [PAIR] * 100, "tags": [PAIR] * 100})
    judge("runs/create", {"experiment_id": "1", "tags": [PAIR] * 100})
    judge("runs/search", {"experiment_ids": ["1"] * 1000, "order_by": ["a" * 500] * 20})
    judge("logged-models", {"params": [PAIR] * 100, "tags": [PAIR] * 100})
    judge("logged-models/m-1/params", {"params": [PAIR] * 100})


@pytest.fixture
def ask(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Sends a body as a contributor; MLflow answers everything with an empty object."""
    workspace = Workspace.objects.create(name="team")
    user = User.objects.create(username="carol")
    workspace.memberships.create(user=user, role=Role.CONTRIBUTOR)
    made = create_token(workspace, user, role=Role.CONTRIBUTOR, name="t", now=timezone.now())
    monkeypatch.setattr(proxy, "exchange", lambda *_: httpx.Response(200, json={}))
    monkeypatch.setattr(views.policy, "authorize", lambda *_: None)

    def send(path: str, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            f"/tracking/team{V2}{path}", content, "application/json",
            headers={"Authorization": f"Bearer {made.secret}"}, **headers,
        )  # fmt: skip

    return send


def test_the_gateway_refuses_in_mlflows_words(ask: Callable[..., Any]) -> None:
    answer = ask("runs/search", {"experiment_ids": ["1"], "order_by": ["a"] * 21})
    assert answer.status_code == 400
    assert answer.json() == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "'order_by' may have 20 entries at most, but got 21.",
    }
    assert ask("runs/search", {"experiment_ids": ["1"], "order_by": ["a"] * 20}).status_code == 200


def test_a_body_is_a_mebibyte_at_most(ask: Callable[..., Any]) -> None:
    batched = match("POST", V2 + "runs/log-batch")
    assert batched is not None
    large = {"experiment_ids": ["1"], "filter": "", "x": "x" * 2**20}
    answer = ask("runs/search", large)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "INVALID_PARAMETER_VALUE")
    # Its announced length is enough to know, and one that says nothing is no way around.
    assert ask("runs/search", b"{}", CONTENT_LENGTH=str(2**20 + 1)).status_code == 413
    batch = {"run_id": "r", "tags": [], "x": "x" * 2**20}
    bounds.require_small(batched, len(json.dumps(batch)))
