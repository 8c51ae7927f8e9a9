"""The gateway's reading of log calls against the real server: same verdict, same result."""

import json
import math
from typing import Any

import httpx
import pytest

from sweeps.gateway.payloads import BadPayload, LogCall, Metric, parse, to_log_batch

T = 1_700_000_000_000
M = {"key": "m", "value": 1.5, "timestamp": T, "step": 3}

METRICS: list[dict[str, Any]] = [
    M,
    {"key": "m", "value": "NaN", "timestamp": T},
    {"key": "m", "value": "Infinity", "timestamp": T},
    {"key": "m", "value": "-Infinity", "timestamp": T},
    {"key": "m", "value": "0.25", "timestamp": str(T), "step": "7"},
    {"key": "m", "value": 0, "timestamp": 0, "step": -1},
    {"key": "m", "value": True, "timestamp": T},
    {"key": "m", "value": 1e308, "timestamp": T, "step": 2**63 - 1},
    {"key": "m", "value": 1, "timestamp": float(T), "step": 2.0},
    {"key": "m", "value": 1, "timestamp": T, "step": "1e3"},
    {"key": "m", "value": 1, "timestamp": T, "step": None},
    {"key": "m", "value": "inf", "timestamp": T},
    {"key": "a b/c.d-e_f:g é", "value": 1, "timestamp": T},
    {"key": "x" * 250, "value": 1, "timestamp": T},
    {"key": "m", "value": 1, "timestamp": T, "unknown": [1]},
    {"key": "m", "timestamp": T},
    {"key": "m", "value": None, "timestamp": T},
    {"key": "m", "value": "", "timestamp": T},
    {"key": "m", "value": "abc", "timestamp": T},
    {"key": "m", "value": 1},
    {"value": 1, "timestamp": T},
    {"key": "", "value": 1, "timestamp": T},
    {"key": 7, "value": 1, "timestamp": T},
    {"key": "x" * 251, "value": 1, "timestamp": T},
    {"key": "a,b", "value": 1, "timestamp": T},
    {"key": "a//b", "value": 1, "timestamp": T},
    {"key": "../b", "value": 1, "timestamp": T},
    {"key": "/b", "value": 1, "timestamp": T},
    {"key": ".", "value": 1, "timestamp": T},
    {"key": "m", "value": 1, "timestamp": -1},
    {"key": "m", "value": 1, "timestamp": "x"},
]
TEXTS: list[dict[str, Any]] = [
    {"key": "k", "value": "v"},
    {"key": "k", "value": ""},
    {"key": "k"},
    {"key": "k", "value": "long " * 2000},
    {"key": "k é:1", "value": "ünï\n☃"},
    {"key": "k", "value": 5},
    {"key": "k", "value": ["a"]},
    {"key": ""},
    {"value": "v"},
    {"key": "a;b", "value": "v"},
    {"key": "x" * 251, "value": "v"},
]
BATCHES: list[dict[str, Any]] = [
    {},
    {"metrics": [], "params": []},
    {"metrics": [M, M, M | {"value": 2.5}], "tags": [{"key": "t", "value": "1"}]},
    {"metrics": [M | {"step": i} for i in range(1000)]},
    {"metrics": [M | {"step": i} for i in range(1001)]},
    {"params": [{"key": f"p{i}", "value": str(i)} for i in range(100)]},
    {"params": [{"key": f"p{i}", "value": str(i)} for i in range(101)]},
    {"tags": [{"key": f"p{i}", "value": str(i)} for i in range(101)]},
    {
        "metrics": [M | {"step": i} for i in range(950)],
        "params": [{"key": f"p{i}", "value": str(i)} for i in range(60)],
    },
    {"params": [{"key": "p", "value": "1"}, {"key": "p", "value": "1"}]},
    {"tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]},
    {"metrics": [M, {"key": "m2", "value": 1}]},
    {"metrics": [M | {"key": "a,b"}]},
    {"metrics": {"key": "m"}},
    {"params": [{"value": "1"}]},
]
CASES = (
    [("log-metric", body) for body in METRICS]
    + [("log-batch", {"metrics": [body]}) for body in METRICS if body.get("key") != 7]
    + [(call, body) for call in ("log-parameter", "set-tag") for body in TEXTS]
    + [("log-batch", body) for body in BATCHES]
)


class Server:
    """The real tracking server: posts raw bodies and tells what a run holds afterwards."""

    def __init__(self, url: str, secret: str) -> None:
        base = f"{url}/api/2.0/mlflow/"
        self.http = httpx.Client(base_url=base, headers={"X-Studio-Secret": secret})

    def post(self, call: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.post(f"runs/{call}", json=body)

    def holds(self, run_id: str) -> tuple[Any, ...]:
        data = self.http.get("runs/get", params={"run_id": run_id}).json()["run"]["data"]
        texts = [
            sorted((pair["key"], pair.get("value", "")) for pair in data.get(kind, []))
            for kind in ("params", "tags")
        ]
        names = sorted(metric["key"] for metric in data.get("metrics", []))
        return (*texts, [self._history(run_id, name) for name in names])

    def _history(self, run_id: str, name: str) -> list[tuple[Any, ...]]:
        query = {"run_id": run_id, "metric_key": name}
        points = self.http.get("metrics/get-history", params=query).json()["metrics"]
        return [(p["key"], str(p["value"]), p["timestamp"], p.get("step", 0)) for p in points]


def read_or_refused(call: str, body: str) -> LogCall | BadPayload:
    try:
        return parse(call, body.encode())
    except BadPayload as refusal:
        return refusal


@pytest.fixture(scope="session")
def server(tracking_server):
    server = Server(tracking_server.url, tracking_server.secret)
    yield server
    server.http.close()


@pytest.fixture(scope="session")
def new_run(tracking):
    experiment_id = tracking.get_or_create_experiment("default/payloads", {})
    return lambda: tracking.create_run(experiment_id, "payload", {})


@pytest.mark.parametrize(
    ("call", "body"), CASES, ids=[f"{c}-{i}" for i, (c, _) in enumerate(CASES)]
)
def test_a_log_call_means_to_us_what_it_means_to_mlflow(server, new_run, call, body):
    direct, ours = new_run(), new_run()
    answer = server.post(call, body | {"run_id": direct})
    parsed = read_or_refused(call, json.dumps(body | {"run_id": ours}))
    if isinstance(parsed, BadPayload):
        assert answer.status_code == 400, answer.text
        assert parsed.as_json()["error_code"] == answer.json()["error_code"]
        return
    assert answer.status_code == 200, answer.text
    for batch in to_log_batch([parsed]):
        assert server.post("log-batch", batch).status_code == 200
    assert server.holds(ours) == server.holds(direct)


def test_many_calls_merged_store_what_they_store_one_by_one(server, new_run):
    direct, ours = new_run(), new_run()
    calls = [
        ("log-metric", {"key": "loss", "value": v, "timestamp": T + i, "step": i})
        for i, v in enumerate([1.0, "NaN", 0.5, "-Infinity"] * 300)
    ]
    calls += [("log-parameter", {"key": f"p{i}", "value": str(i)}) for i in range(150)]
    calls += [("set-tag", {"key": "stage", "value": str(i)}) for i in range(3)]
    for call, body in calls[::50]:
        assert server.post(call, body | {"run_id": direct}).status_code == 200
    merged = to_log_batch(
        [parse(c, json.dumps(b | {"run_id": ours}).encode()) for c, b in calls[::50]]
    )
    assert [server.post("log-batch", body).status_code for body in merged] == [200] * len(merged)
    assert server.holds(ours) == server.holds(direct)


def test_a_contradicted_param_keeps_its_first_value_and_costs_nothing_else(server, new_run):
    run_id = new_run()
    calls = [
        LogCall(run_id, params=(("lr", "1"), ("depth", "3"))),
        LogCall(run_id, (Metric("m", math.inf, 0, T),), (("lr", "2"), ("seed", "4"))),
    ]
    statuses = [server.post("log-batch", body).status_code for body in to_log_batch(calls)]
    params, _tags, metrics = server.holds(run_id)
    assert statuses == [200, 200, 400]
    assert params == [("depth", "3"), ("lr", "1"), ("seed", "4")]
    assert metrics == [[("m", "1.7976931348623157e+308", T, 0)]]
