"""The tracking server goes and comes back: what was logged arrives, once and in order."""

from pathlib import Path

import pytest

from sweeps.engine import forward
from sweeps.engine.tracking import TrackingUnavailable, tracking
from sweeps.models import MetricPoint, OutboxEntry
from tests.gateway.conftest import forget_servers
from tests.servers import end, start_tracking_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.gateway.urls")]


@pytest.fixture(scope="module")
def tracking_server(tmp_path_factory):
    """A server of our own, to be stopped and started."""
    server = start_tracking_server(tmp_path_factory.mktemp("outage"))
    servers = [server]
    yield servers
    end(servers[-1])


@pytest.fixture
def tracking_line(tracking_server, settings, tmp_path):
    settings.TRACKING_PORT = int(tracking_server[0].url.rpartition(":")[2])
    settings.TRACKING_SECRET_FILE = tmp_path / "secret"
    settings.TRACKING_SECRET_FILE.write_text(tracking_server[0].secret)
    yield tracking_server
    forget_servers()


def history(trial, name="loss"):
    answer = trial.api.get("metrics/get-history", run_id=trial.run_id, metric_key=name)
    return [(m["step"], m["value"]) for m in answer.json()["metrics"]]


def test_values_logged_while_tracking_is_down_arrive_in_order(trial, tracking_line):
    assert trial.log("loss", 10, 0, ms=1).status_code == 200
    server = tracking_line[-1]
    end(server)
    for step in range(1, 40):
        assert trial.log("loss", 10 - step, step, ms=1 + step).status_code == 200
    trial.api.post("runs/log-parameter", run_id=trial.run_id, key="p", value="1")
    trial.api.post("runs/set-tag", run_id=trial.run_id, key="t", value="1")
    trial.api.post("runs/set-tag", run_id=trial.run_id, key="t", value="2")

    down = trial.api.get("runs/get", run_id=trial.run_id)
    assert (down.status_code, down.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    with pytest.raises(TrackingUnavailable):
        forward.drain(trial.run_id)
    assert OutboxEntry.objects.count() == 43
    assert MetricPoint.objects.count() == 40

    home = Path(server.store_uri.removeprefix("sqlite:///")).parent
    tracking_line.append(start_tracking_server(home, int(server.url.rpartition(":")[2])))
    run = trial.api.get("runs/get", run_id=trial.run_id).json()["run"]
    assert {"key": "t", "value": "2"} in run["data"]["tags"]
    assert run["data"]["params"] == [{"key": "p", "value": "1"}]
    assert history(trial) == [(step, 10 - step) for step in range(40)]
    assert not OutboxEntry.objects.exists()


def test_a_second_value_of_a_param_is_dropped_and_takes_nothing_with_it(trial):
    def params(**values):
        pairs = [{"key": key, "value": value} for key, value in values.items()]
        return trial.api.post("runs/log-batch", run_id=trial.run_id, params=pairs)

    assert params(a="1").status_code == 200
    trial.log("loss", 1, 0)
    assert params(a="2", b="3").status_code == 200
    trial.log("loss", 2, 1)
    assert forward.drain(trial.run_id)
    run = tracking().get_run(trial.run_id)
    assert run.params == {"a": "1", "b": "3"}
    assert history(trial) == [(0, 1.0), (1, 2.0)]


def test_a_value_sent_again_after_a_lost_answer_counts_once(trial):
    for _ in range(2):
        assert trial.log("loss", 0.5, 3, ms=77).status_code == 200
    assert MetricPoint.objects.count() == 1
    assert history(trial) == [(3, 0.5)]


def test_more_than_one_request_of_mlflows_holds_is_sent_in_several(trial):
    for start in range(0, 2400, 480):
        points = [
            {"key": "loss", "value": i, "timestamp": i, "step": i}
            for i in range(start, start + 480)
        ]
        tags = [{"key": f"t{start + i}", "value": "x"} for i in range(50)]
        body = {"run_id": trial.run_id, "metrics": points, "tags": tags}
        assert trial.api.post("runs/log-batch", **body).status_code == 200
    calls = []
    send = tracking().send_batch

    def counted(body):
        calls.append(sum(len(body.get(k, ())) for k in ("metrics", "params", "tags")))
        send(body)

    client = type("Counting", (), {"send_batch": staticmethod(counted)})()
    assert forward.forward(trial.run_id, client=client)
    assert max(calls) <= 1000
    assert sum(calls) == 2400 + 250
    assert tracking().get_run(trial.run_id).metrics["loss"] == 2399
