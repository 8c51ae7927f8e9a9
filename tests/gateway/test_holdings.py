"""What a run or a model may hold in all: counted, and looked at before it is refused."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from studio.models import Role, Workspace
from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway import holdings, weights
from sweeps.gateway.holdings import LIGHT, MOST, Holdings, Thing, registered_model, run
from sweeps.gateway.refusals import Refusal
from tests.gateway.conftest import Api, Running


class Measure:
    """A server on which things have what the test says; counts how often it is asked."""

    def __init__(self, has: int = 0) -> None:
        self.has, self.asked = has, 0

    def __call__(self, thing: Thing) -> int:
        self.asked += 1
        return self.has


def add(held: Holdings, thing: Thing, more: int) -> int:
    with held.adding(thing, more) as size:
        return size


def test_light_runs_are_never_looked_at() -> None:
    measure = Measure()
    held = Holdings(measure)
    assert [add(held, run("a"), LIGHT // 4) for _ in range(4)][-1] == LIGHT
    assert measure.asked == 0


def test_what_is_set_again_and_again_is_not_counted_for_ever() -> None:
    measure = Measure(2_000)
    held = Holdings(measure)
    for _ in range(10_000):
        add(held, run("a"), 1_000)
    assert 0 < measure.asked < 400


def test_a_run_that_is_full_takes_no_more_and_another_does() -> None:
    measure = Measure()
    held = Holdings(measure)

    def fill() -> None:
        for _ in range(100):
            add(held, run("a"), 100_000)
            measure.has += 100_000

    with pytest.raises(Refusal, match="artifacts") as refused:
        fill()
    assert refused.value.status == 413
    assert MOST - 100_000 < measure.has <= MOST
    asked = measure.asked
    for _ in range(20):
        with pytest.raises(Refusal):
            add(held, run("a"), 100_000)
    assert measure.asked <= asked + 1, "what is full is not looked at each time"
    assert add(held, run("b"), 10) == 10


def test_it_takes_more_once_something_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_FULL_S", 0.0)
    measure = Measure(MOST)
    held = Holdings(measure)
    with pytest.raises(Refusal):
        add(held, run("a"), LIGHT + 1)
    measure.has = 0
    assert add(held, run("a"), LIGHT + 1) == LIGHT + 1


def test_of_calls_at_once_only_as_many_find_room_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_FULL_S", 0.0)
    held = Holdings(Measure())
    more = MOST // 4 + 1
    with ExitStack() as under_way:
        for _ in range(3):
            under_way.enter_context(held.adding(run("a"), more))
        with pytest.raises(Refusal), held.adding(run("a"), more):
            pytest.fail("there is room for a fourth")
    # They have not been seen yet, and count all the same.
    assert add(held, run("a"), 10) == 10, "what MLflow tells is what counts"


def test_who_comes_later_takes_no_room_from_who_came_before() -> None:
    """All of them look at the same time, and as many find room as fit."""
    met = threading.Barrier(3)

    def measure(_thing: Thing) -> int:
        met.wait(20)
        return 0

    held, told = Holdings(measure), []

    def come() -> None:
        try:
            with held.adding(run("a"), MOST // 2):
                told.append("in")
                met.wait(20)
        except Refusal:
            told.append("out")
            met.wait(20)

    threads = [threading.Thread(target=come) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == ["in", "in", "out"]


def test_what_fails_is_not_counted() -> None:
    held = Holdings(Measure())
    with pytest.raises(ValueError, match="broken"), held.adding(run("a"), 20_000):
        raise ValueError("broken")
    assert add(held, run("a"), 10) == 10


def test_a_registered_model_is_looked_at_each_time_since_it_may_have_another_s_name() -> None:
    measure = Measure()
    held, model = Holdings(measure), registered_model("m")
    assert add(held, model, 10) == 10
    measure.has = MOST
    with pytest.raises(Refusal):
        add(held, model, 1)
    assert measure.asked == 2


def test_while_mlflow_is_away_what_is_known_counts() -> None:
    def away(_thing: Thing) -> int:
        raise TrackingUnavailable("away")

    held = Holdings(away)
    assert add(held, run("a"), MOST) == MOST
    with pytest.raises(TrackingUnavailable):
        add(held, run("a"), 1)


def test_of_many_things_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "_KEPT", 10)
    held = Holdings(Measure())
    for number in range(50):
        held.count(run(str(number)), 5)
    assert len(held._of) == 10
    assert held.count(run("49"), 5) == 10
    assert held.count(run("1"), 5) == 5


BIG = "x" * 7_900


def texts(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"key": f"k{start + n}", "value": BIG} for n in range(count)]


def data_sets(count: int, start: int) -> list[dict[str, Any]]:
    named = {"source_type": "local", "source": "{}", "schema": "s" * 60_000}
    return [
        {"dataset": {"name": f"d{start + n}", "digest": f"{start + n}", **named}}
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_holdings", Holdings(weights._measure))
    monkeypatch.setattr(weights, "_noted", {})


def filled(send: Callable[[int], int]) -> int:
    """How many calls went through before one was refused."""
    for number in range(200):
        status = send(number)
        if status == 413:
            return number
        assert status == 200
    raise AssertionError("nothing is refused")


@pytest.mark.django_db(transaction=True)
def test_the_data_sets_of_a_run_have_a_bound(
    trial: Running, sibling: Running, workspace: Workspace
) -> None:
    def send(number: int) -> int:
        sets = data_sets(10, number * 10)
        answer = trial.api.post("runs/log-inputs", run_id=trial.run_id, datasets=sets)
        return answer.status_code

    assert 4 <= filled(send) <= 7
    told = trial.api.get("runs/get", run_id=trial.run_id)
    assert len(told.content) <= MOST + LIGHT
    workspace.refresh_from_db()
    assert workspace.heaviest >= len(told.content)
    # Pages of searches have fewer; nothing else of the trial is kept from it.
    found = trial.api.post("runs/search", experiment_ids=[trial.experiment_id]).json()
    assert trial.run_id in [item["info"]["run_id"] for item in found["runs"]]
    assert trial.log("loss", 0.5).is_success
    assert sibling.api.post("runs/log-inputs", run_id=sibling.run_id, datasets=[]).is_success


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["tags", "params"])
def test_texts_that_a_trial_logs_have_a_bound_and_one_that_is_set_again_has_none(
    trial: Running, what: str
) -> None:
    def send(number: int) -> int:
        cut = [{**pair, "value": pair["value"][:5_900]} for pair in texts(100, number * 100)]
        return trial.api.post("runs/log-batch", run_id=trial.run_id, **{what: cut}).status_code

    assert 4 <= filled(send) <= 7
    told = trial.api.get("runs/get", run_id=trial.run_id)
    assert len(told.content) <= MOST + LIGHT


@pytest.mark.django_db(transaction=True)
def test_one_tag_may_be_set_for_ever(trial: Running) -> None:
    for number in range(700):  # 5.5 MB
        said = str(number) + BIG
        call = {"run_id": trial.run_id, "key": "progress", "value": said}
        assert trial.api.post("runs/set-tag", **call).is_success


@pytest.mark.django_db(transaction=True)
def test_data_sets_that_come_at_once_have_the_same_bound(trial: Running) -> None:
    def send(number: int) -> int:
        body = {"run_id": trial.run_id, "datasets": data_sets(30, number * 30)}
        return trial.api.post("runs/log-inputs", **body).status_code

    with ThreadPoolExecutor(6) as pool:
        told = sorted(pool.map(send, range(6)))
    assert told == [200, 200, 413, 413, 413, 413]


@pytest.mark.django_db(transaction=True)
def test_registered_models_with_their_versions_and_experiments_have_a_bound(
    trial: Running, member: Callable[[Role], Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = member(Role.CONTRIBUTOR)
    assert api.post("registered-models/create", name="m").is_success
    assert api.post("registered-models/create", name="its").is_success
    made = api.post("experiments/create", name="e").json()["experiment_id"]
    monkeypatch.setattr(holdings, "MOST", 100_000)
    monkeypatch.setattr(weights, "MOST", 100_000)

    def tag_model(number: int) -> int:
        call = {"name": "m", "key": f"k{number}", "value": "x" * 4_900}
        return api.post("registered-models/set-tag", **call).status_code

    def tag_experiment(number: int) -> int:
        call = {"experiment_id": made, "key": f"k{number}", "value": "x" * 4_900}
        return api.post("experiments/set-experiment-tag", **call).status_code

    def add_version(_number: int) -> int:
        source = f"runs:/{trial.run_id}/m"
        call = {"name": "its", "run_id": trial.run_id, "source": source}
        answer = api.post("model-versions/create", **call, description="x" * 9_000)
        return answer.status_code

    assert 18 <= filled(tag_model) <= 20
    assert 18 <= filled(tag_experiment) <= 20
    assert 9 <= filled(add_version) <= 11
    # Under another name it has no more room.
    assert api.post("registered-models/create", name="free").is_success
    for number in range(3):
        tag = {"name": "free", "key": f"k{number}", "value": "x" * 4_900}
        assert api.post("registered-models/set-tag", **tag).is_success
    assert api("DELETE", "registered-models/delete", json={"name": "free"}).is_success
    assert api.post("registered-models/rename", name="m", new_name="free").status_code in (200, 413)
    for name in ("m", "free"):
        answer = api.post("registered-models/set-tag", name=name, key="more", value="x" * 4_900)
        assert answer.status_code in (404, 413), name
    for name in ("m", "free", "its"):
        api("DELETE", "registered-models/delete", json={"name": name})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["bo'th\"", "'\" or name = \"'"])
def test_a_name_that_cannot_be_searched_for_gets_no_versions(
    trial: Running, member: Callable[[Role], Api], name: str
) -> None:
    api = member(Role.CONTRIBUTOR)
    refused = api.post("registered-models/create", name=name)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    source = f"runs:/{trial.run_id}/m"
    version = api.post("model-versions/create", name=name, source=source, run_id=trial.run_id)
    assert version.status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["it's", 'so "called"', "back\\slash", "100% ü"])
def test_other_names_are_searched_for_as_they_are(member: Callable[[Role], Api], name: str) -> None:
    api = member(Role.CONTRIBUTOR)
    assert api.post("registered-models/create", name=name).is_success
    assert api.post("registered-models/set-tag", name=name, key="k", value="v").is_success
    assert api("DELETE", "registered-models/delete", json={"name": name}).is_success


def linked(model_id: str, count: int, start: int) -> list[dict[str, Any]]:
    point = {"key": "m", "value": 1.0, "timestamp": 1, "model_id": model_id}
    return [{**point, "step": start + n} for n in range(count)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["own", "nested", "member"])
def test_a_logged_model_has_so_many_values_and_its_run_all(
    trial: Running, member: Callable[[Role], Api], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(holdings, "MOST", 200_000)
    api = member(Role.CONTRIBUTOR) if who == "member" else trial.api
    body = {"experiment_id": trial.experiment_id, "run_name": "r"}
    run_id = (
        trial.run_id
        if who == "own"
        else api.post("runs/create", **body).json()["run"]["info"]["run_id"]
    )
    made = api.post("logged-models", experiment_id=trial.experiment_id, source_run_id=run_id)
    model_id = made.json()["model"]["info"]["model_id"]
    for number in range(0, 1_000, 100):
        call = {"run_id": run_id, "metrics": linked(model_id, 100, number)}
        assert api.post("runs/log-batch", **call).is_success
    history = api.get("metrics/get-history", run_id=run_id, metric_key="m").json()["metrics"]
    assert len(history) == 1_000
    told = api.get(f"logged-models/{model_id}").json()["model"]
    assert 200 <= len(told["data"]["metrics"]) < 1_000
    point = {**linked(model_id, 1, 5_000)[0], "run_id": run_id}
    assert api.post("runs/log-metric", **point).is_success


@pytest.mark.django_db(transaction=True)
def test_long_names_of_metrics_make_a_run_full(
    trial: Running, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond ASCII each letter has twelve characters where MLflow tells it."""
    monkeypatch.setattr(holdings, "MOST", 200_000)
    point = {"value": 1.0, "timestamp": 1, "step": 0}

    def send(start: int) -> int:
        names = [f"{start + n}-{chr(0x20000) * 200}" for n in range(20)]
        call = {"run_id": trial.run_id, "metrics": [{"key": name, **point} for name in names]}
        return trial.api.post("runs/log-batch", **call).status_code

    assert [send(start) for start in (0, 20, 40, 60, 80, 100)][:4] == [200] * 4
    assert send(200) == 400
    assert send(0) == 200, "values under names that it has go on"
    workspace.refresh_from_db()
    told = len(trial.api.get("runs/get", run_id=trial.run_id).content)
    assert told <= workspace.heaviest


@pytest.mark.django_db(transaction=True)
def test_many_names_of_metrics_make_a_run_heavy(trial: Running, workspace: Workspace) -> None:
    names = [f"m{number}-{'x' * 200}" for number in range(1_000)]
    point = {"value": 1.0, "timestamp": 1, "step": 0}
    call = {"run_id": trial.run_id, "metrics": [{"key": name, **point} for name in names]}
    assert trial.api.post("runs/log-batch", **call).is_success
    workspace.refresh_from_db()
    told = len(trial.api.get("runs/get", run_id=trial.run_id).content)
    assert told <= workspace.heaviest <= 4 * told
