"""The light client against a real tracking server, judged by MLflow's own client."""

import math
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow.entities import Metric

from sweeps.tracking import tags
from sweeps.tracking.client import Point, Tracking, TrackingRejected, TrackingUnavailable
from sweeps.tracking.line import Answer


@pytest.fixture
def experiment_id(tracking: Tracking, request: pytest.FixtureRequest) -> str:
    return tracking.get_or_create_experiment(f"default/{request.node.name}", {"team": "a"})


@pytest.fixture
def run_id(tracking: Tracking, experiment_id: str) -> str:
    return tracking.create_run(experiment_id, "sweep_3", {tags.TRIAL: "3"})


def test_an_experiment_is_made_once_with_its_tags(tracking, official, experiment_id):
    again = tracking.get_or_create_experiment(official.get_experiment(experiment_id).name, {})
    experiment = official.get_experiment(experiment_id)
    assert again == experiment_id
    assert experiment.tags["team"] == "a"
    assert experiment.artifact_location == f"mlflow-artifacts:/{experiment_id}"


def test_an_experiment_a_user_deleted_is_restored(tracking, official, experiment_id):
    official.delete_experiment(experiment_id)
    name = official.get_experiment(experiment_id).name
    assert tracking.get_or_create_experiment(name, {}) == experiment_id
    assert official.get_experiment(experiment_id).lifecycle_stage == "active"


def test_a_child_run_carries_name_parent_start_and_tags(tracking, official, experiment_id):
    parent = tracking.create_run(experiment_id, "sweep", {tags.SWEEP: "sweep"})
    child = tracking.create_run(
        experiment_id, "sweep_0", {tags.SOURCE_NAME: "train.py"}, parent, start_ms=1_700_000_000_123
    )
    run = official.get_run(child)
    assert run.info.run_name == "sweep_0"
    assert run.info.status == "RUNNING"
    assert run.info.start_time == 1_700_000_000_123
    assert run.data.tags == {
        "mlflow.runName": "sweep_0",
        "mlflow.parentRunId": parent,
        "mlflow.source.name": "train.py",
    }
    assert abs(official.get_run(parent).info.start_time - time.time() * 1000) < 60_000


def test_a_run_is_found_by_all_of_its_tags_and_by_no_fewer(tracking, experiment_id):
    wanted = {tags.SWEEP: "it's-one", tags.TRIAL: "1", tags.ATTEMPT: "2"}
    tracking.create_run(experiment_id, "other", wanted | {tags.ATTEMPT: "1"})
    run_id = tracking.create_run(experiment_id, "this", wanted, start_ms=1000)
    tracking.create_run(experiment_id, "twin", wanted, start_ms=2000)
    assert tracking.find_run(experiment_id, wanted) == run_id
    assert tracking.find_run(experiment_id, wanted | {tags.TRIAL: "7"}) is None
    tracking.delete_run(run_id)
    assert tracking.find_run(experiment_id, wanted) != run_id


def test_a_tag_value_that_cannot_be_searched_is_refused(tracking, experiment_id):
    with pytest.raises(ValueError, match="it holds a quote"):
        tracking.find_run(experiment_id, {tags.SWEEP: 'a" or tags.x = "b'})


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_terminated_run_has_its_status_and_end(tracking, official, run_id, status):
    tracking.set_terminated(run_id, status, 1_800_000_000_000)
    info = official.get_run(run_id).info
    assert (info.status, info.end_time) == (status, 1_800_000_000_000)


def test_an_open_status_leaves_the_end_time_alone(tracking, official, run_id):
    tracking.set_status(run_id, "SCHEDULED")
    info = official.get_run(run_id).info
    assert (info.status, info.end_time) == ("SCHEDULED", None)
    with pytest.raises(ValueError, match="RUNNING, SCHEDULED"):
        tracking.set_status(run_id, "FINISHED")


def test_a_large_batch_is_split_to_the_limits_and_keeps_its_order(tracking, official, run_id):
    points = [Point("loss", float(i), i, 1000 + i) for i in range(2300)]
    params = {f"p{i}": str(i) for i in range(150)}
    labels = {f"t{i}": str(i) for i in range(150)}
    tracking.log_batch(run_id, points, params, labels)
    run = official.get_run(run_id)
    history = official.get_metric_history(run_id, "loss")
    assert [m.value for m in history] == [p.value for p in points]
    assert run.data.params == params
    assert labels.items() <= run.data.tags.items()


def test_non_finite_values_arrive_as_themselves(tracking, official, run_id):
    values = [math.nan, math.inf, -math.inf]
    tracking.log_batch(run_id, [Point("m", v, i, i) for i, v in enumerate(values)])
    stored = sorted(official.get_metric_history(run_id, "m"), key=lambda m: m.step)
    # MLflow keeps infinities as the largest doubles, for every client.
    assert math.isnan(stored[0].value)
    assert [m.value for m in stored[1:]] == [1.7976931348623157e308, -1.7976931348623157e308]


def test_params_the_script_logged_are_left_alone_and_the_others_added(tracking, official, run_id):
    official.log_param(run_id, "lr", "0.10")
    tracking.log_params_missing(run_id, {"lr": "0.1", "depth": "3"})
    assert official.get_run(run_id).data.params == {"lr": "0.10", "depth": "3"}


def test_a_refused_param_does_not_take_the_metrics_with_it(tracking, official, run_id):
    official.log_param(run_id, "lr", "1")
    with pytest.raises(TrackingRejected, match="Changing param values") as caught:
        tracking.log_batch(run_id, [Point("acc", 0.5, 0, 1)], {"lr": "2"})
    assert (caught.value.code, caught.value.status) == ("INVALID_PARAMETER_VALUE", 400)
    assert official.get_run(run_id).data.metrics == {"acc": 0.5}


def test_a_run_reads_back_as_mlflow_holds_it(tracking, official, run_id, experiment_id):
    official.log_batch(run_id, metrics=[Metric("acc", 0.5, 1, 0)])
    official.log_param(run_id, "empty", "")
    tracking.set_tags(run_id, {"k": "v"})
    run = tracking.get_run(run_id)
    assert (run.run_id, run.experiment_id, run.run_name) == (run_id, experiment_id, "sweep_3")
    assert (run.status, run.lifecycle_stage, run.end_ms) == ("RUNNING", "active", None)
    assert run.artifact_uri == f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts"
    assert (run.metrics, run.params) == ({"acc": 0.5}, {"empty": ""})
    assert run.tags == {"k": "v", tags.RUN_NAME: "sweep_3", tags.TRIAL: "3"}


def test_a_deleted_run_leaves_the_active_stage_and_refuses_more(tracking, run_id):
    tracking.delete_run(run_id)
    assert tracking.get_run(run_id).lifecycle_stage == "deleted"
    with pytest.raises(TrackingRejected, match="active"):
        tracking.log_batch(run_id, [Point("a", 1.0, 0, 0)])


def test_artifacts_are_listed_by_folder(tracking, tracking_server, experiment_id, run_id):
    root = tracking_server.artifacts / experiment_id / run_id / "artifacts"
    (root / "plots").mkdir(parents=True)
    (root / "model.txt").write_text("12345")
    (root / "plots" / "a b.png").write_bytes(b"12")
    top = {e.path: (e.is_dir, e.size) for e in tracking.artifact_list(run_id)}
    assert top == {"model.txt": (False, 5), "plots": (True, None)}
    assert [e.path for e in tracking.artifact_list(run_id, "plots")] == ["plots/a b.png"]


def test_an_unknown_run_is_a_rejection_with_mlflows_code(tracking):
    with pytest.raises(TrackingRejected) as caught:
        tracking.get_run("0" * 32)
    assert (caught.value.code, caught.value.status) == ("RESOURCE_DOES_NOT_EXIST", 404)


def test_a_server_that_is_not_there_is_unavailable():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = Tracking(f"http://127.0.0.1:{closed.getsockname()[1]}", "x")
        assert nobody.healthy() is False
        with pytest.raises(TrackingUnavailable, match="runs/get"):
            nobody.get_run("0" * 32)
        nobody.close()


def test_a_server_that_does_not_answer_in_time_is_unavailable():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        client = Tracking(f"http://127.0.0.1:{mute.getsockname()[1]}", "x", timeout_s=0.2)
        with pytest.raises(TrackingUnavailable, match=r"[Tt]imeout|timed out"):
            client.get_run("0" * 32)
        client.close()


@pytest.mark.parametrize(
    ("status", "text"), [(429, "{}"), (500, "{}"), (503, "busy"), (200, "<html>"), (200, "[]")]
)
def test_an_answer_that_may_be_better_later_is_unavailable(monkeypatch, status, text):
    client = Tracking("http://tracking.invalid", "x")
    monkeypatch.setattr(client._line, "ask", lambda *_args, **_options: Answer(status, text))
    with pytest.raises(TrackingUnavailable, match="runs/get"):
        client.get_run("0" * 32)
    client.close()


@pytest.mark.parametrize(
    ("answer", "answered", "retry_s"),
    [
        (Answer(500, "{}"), True, None),
        (Answer(503, "busy", "7"), False, None),
        (Answer(401, "{}"), True, None),
        (Answer(200, "<html>"), True, None),
        (Answer(429, "{}", "7"), True, 7.0),
        (Answer(429, "{}", "9999999"), True, 300.0),
        (Answer(429, "{}", "Wed, 21 Oct 2026 07:28:00 GMT"), True, 3.0),
        (Answer(429, "{}"), True, 3.0),
    ],
)
def test_a_bad_answer_is_told_from_none_with_the_wait_that_it_asks_for(
    monkeypatch, answer, answered, retry_s
):
    client = Tracking("http://tracking.invalid", "x")
    monkeypatch.setattr(client._line, "ask", lambda *_args, **_options: answer)
    with pytest.raises(TrackingUnavailable) as caught:
        client.get_run("0" * 32)
    assert (caught.value.answered, caught.value.retry_s) == (answered, retry_s)
    assert client.takes_writes() is False
    client.close()


def test_a_server_that_is_not_there_has_not_answered():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = Tracking(f"http://127.0.0.1:{closed.getsockname()[1]}", "x")
        with pytest.raises(TrackingUnavailable) as caught:
            nobody.get_run("0" * 32)
        assert not caught.value.answered
        assert nobody.takes_writes() is False
        nobody.close()


def test_a_store_that_can_be_written_to_is_told_whatever_became_of_the_first_experiment(
    tracking, official, monkeypatch
):
    marks = []
    for _ in range(2):
        assert tracking.takes_writes()
        marks.append(official.get_experiment("0").tags[tags.ASKED])
    assert marks[0] != marks[1]
    refusal = Answer(400, '{"error_code": "INVALID_PARAMETER_VALUE", "message": "deleted"}')
    monkeypatch.setattr(tracking._line, "ask", lambda *_args, **_options: refusal)
    assert tracking.takes_writes()


def test_a_connection_stands_until_the_server_closes_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Tracking(f"http://127.0.0.1:{server.getsockname()[1]}", "x")
        assert not client.connected()

        def serve() -> socket.socket:
            connection, _ = server.accept()
            connection.recv(999)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            return connection

        with ThreadPoolExecutor(1) as pool:
            serving = pool.submit(serve)
            assert client.healthy()
            connection = serving.result(10)
        assert client.connected()
        connection.close()
        assert not client.connected()
        client.close()


def test_a_wrong_secret_is_a_matter_of_waiting_and_not_a_refusal(tracking_server):
    stranger = Tracking(tracking_server.url, "guess")
    assert stranger.healthy() is False
    with pytest.raises(TrackingUnavailable, match="401"):
        stranger.get_run("0" * 32)
    stranger.close()
