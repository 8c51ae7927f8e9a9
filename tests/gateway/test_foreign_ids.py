"""Ids of others in places that are easily overlooked, asked of a real tracking server."""

import os
from typing import Any

import pytest

from studio.models import Role
from sweeps.engine.tracking import tracking
from tests.gateway.conftest import ARTIFACTS, Api, Running
from tests.gateway.test_policy import DENIED, INVALID, MISSING, child_of, code, logged_model

pytestmark = pytest.mark.django_db(transaction=True)


def point(**more: Any) -> dict[str, Any]:
    return {"key": "stolen", "value": 1, "timestamp": 1} | more


def test_metrics_are_tied_to_no_model_of_others(
    trial: Running, sibling: Running, stranger: Running, member: Any
) -> None:
    theirs, foreign = (logged_model(who)["model_id"] for who in (sibling, stranger))
    child = child_of(trial)
    for key in ("model_id", "modelId"):
        for who, run, model, expected in (
            (trial.api, trial.run_id, theirs, DENIED),
            (trial.api, child, theirs, DENIED),
            (trial.api, child, foreign, MISSING),
            (member(Role.CONTRIBUTOR), trial.run_id, foreign, MISSING),
        ):
            one = who.post("runs/log-metric", run_id=run, **point(**{key: model}))
            many = who.post("runs/log-batch", run_id=run, metrics=[point(**{key: model})])
            assert (code(one), code(many)) == (expected, expected)
    for model in (theirs, foreign):
        info = tracking().ask("GET", f"logged-models/{model}")
        assert not info["model"].get("data", {}).get("metrics")
    own = logged_model(trial)["model_id"]
    for run in (trial.run_id, child):
        answer = trial.api.post("runs/log-batch", run_id=run, metrics=[point(model_id=own)])
        assert answer.status_code == 200, answer.text


def test_a_batch_names_no_other_run_in_its_metrics(trial: Running, sibling: Running) -> None:
    body = {"run_id": child_of(trial), "metrics": [point(run_id=sibling.run_id)]}
    assert code(trial.api.post("runs/log-batch", **body)) == DENIED
    for metrics in ([5], {"a": 1}, "x"):
        assert trial.api.post("runs/log-batch", **(body | {"metrics": metrics})).status_code == 400


def test_a_run_has_models_of_its_workspace_as_inputs_and_its_own_as_outputs(
    trial: Running, sibling: Running, stranger: Running, member: Any
) -> None:
    theirs, foreign = (logged_model(who)["model_id"] for who in (sibling, stranger))
    contributor = member(Role.CONTRIBUTOR)
    for path, of_sibling in (("runs/log-inputs", 200), ("runs/outputs", DENIED[0])):
        for who in (trial.api, contributor):
            answer = who.post(path, run_id=trial.run_id, models=[{"modelId": foreign}])
            assert code(answer) == MISSING
        answer = trial.api.post(path, run_id=trial.run_id, models=[{"model_id": theirs}])
        assert answer.status_code == of_sibling
    assert contributor.post(
        "runs/outputs", run_id=trial.run_id, models=[{"model_id": theirs, "step": 0}]
    ).is_success


def test_a_list_of_artifacts_stays_below_them(trial: Running) -> None:
    model = logged_model(trial)["model_id"]
    up = ("..", "../..", "a/../..", "/", "/etc", "a//b", "%2e%2e", "a/%252e%252e")
    for path in (*up, "a\\b", "a#b", "a?b", "a;b", "a\0b"):
        answers = (
            trial.api.get("artifacts/list", run_id=trial.run_id, path=path),
            trial.api.get(
                f"logged-models/{model}/artifacts/directories", artifact_directory_path=path
            ),
            trial.api("GET", ARTIFACTS[:-1], params={"path": path}),
        )
        assert {answer.status_code for answer in answers} <= {400, 404}, path
    assert trial.api.get("artifacts/list", run_id=trial.run_id, path="").is_success


def test_a_file_does_not_take_the_place_of_all_artifacts(trial: Running) -> None:
    for root in (
        f"{trial.run_id}/artifacts",
        f"models/{logged_model(trial)['model_id']}/artifacts",
    ):
        answer = trial.api("PUT", f"{ARTIFACTS}{trial.experiment_id}/{root}", content=b"x")
        assert code(answer) == INVALID


def test_an_id_is_no_address_of_another_route(trial: Running, member: Any) -> None:
    for name in ("search", "..", "m-1/artifacts/directories", "m-1?x=1", "a b", "é", "x" * 300):
        body = {"name": "x", "source": "runs:/" + trial.run_id, "model_id": name}
        answer = member(Role.CONTRIBUTOR).post("model-versions/create", **body)
        assert code(answer) == MISSING, name


def test_a_search_that_mlflow_cannot_read_is_confined_all_the_same(
    trial: Running, stranger: Running, member: Any
) -> None:
    api: Api = member(Role.READER)
    ours = api.post("experiments/search", max_results=1).json()
    for body in (
        {"max_results": 1, "order_by": [5]},
        {"max_results": 1, "order_by": {"a": 1}},
        {"max_results": 1, "viewType": "nothing"},
    ):
        answer = api.post("experiments/search", **body)
        if answer.is_success:
            assert answer.json().get("next_page_token") == ours.get("next_page_token"), body
    for path in ("runs/search", "logged-models/search"):
        for bad in ({"order_by": [5]}, {"page_token": 5}, {"run_view_type": "x"}):
            answer = api.post(path, **bad, experiment_ids=[trial.experiment_id])
            if answer.is_success:
                assert stranger.run_id not in answer.text


def test_what_a_script_planted_among_the_artifacts_leads_nowhere(
    trial: Running, stranger: Running, tracking_line: Any, member: Any
) -> None:
    own = f"{trial.experiment_id}/{trial.run_id}/artifacts"
    root = tracking_line.artifacts / own
    secret = tracking_line.artifacts / stranger.experiment_id / stranger.run_id / "artifacts"
    for folder in (root, secret):
        folder.mkdir(parents=True, exist_ok=True)
    (secret / "key").write_text("canary")
    (root / "folder").symlink_to(secret)
    (root / "file").symlink_to(secret / "key")
    os.mkfifo(root / "pipe")
    (root / "named.txt").mkdir()
    for who in (trial.api, member(Role.READER)):
        for rest in ("folder", "folder/key", "file", "pipe", "named.txt"):
            answer = who("GET", f"{ARTIFACTS}{own}/{rest}")
            assert answer.status_code in (400, 404), rest
            assert "canary" not in answer.text
            listed = who("GET", ARTIFACTS[:-1], params={"path": f"{own}/{rest}"})
            assert "key" not in listed.text
            assert "key" not in who.get("artifacts/list", run_id=trial.run_id, path=rest).text
    for rest in ("folder/new", "file", "pipe"):
        assert code(trial.api("PUT", f"{ARTIFACTS}{own}/{rest}", content=b"x")) == MISSING
        assert code(trial.api("DELETE", f"{ARTIFACTS}{own}/{rest}")) == MISSING
    assert (secret / "key").read_text() == "canary"
    assert sorted(os.listdir(secret)) == ["key"]


def test_headers_change_nothing_in_how_a_body_is_read(trial: Running, sibling: Running) -> None:
    raw = f'{{"run_id": "{sibling.run_id}", "status": "FAILED"}}'.encode()
    for headers in (
        {"Content-Encoding": "gzip"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"X-HTTP-Method-Override": "DELETE"},
    ):
        for body in (b"\x1f\x8b", f"run_id={sibling.run_id}&status=FAILED".encode()):
            answer = trial.api("POST", "runs/update", content=body, headers=headers)
            assert code(answer) == INVALID
        assert code(trial.api("POST", "runs/update", content=raw, headers=headers)) == DENIED


def test_query_of_a_post_and_body_of_a_get_count_for_nothing(
    trial: Running, sibling: Running, stranger: Running
) -> None:
    query = f"runs/update?run_id={sibling.run_id}&status=FAILED"
    assert trial.api.post(query, run_id=trial.run_id, status="FINISHED").is_success
    assert tracking().get_run(sibling.run_id).status == "RUNNING"
    answer = trial.api("GET", f"runs/get?run_id={trial.run_id}", json={"run_id": stranger.run_id})
    assert answer.json()["run"]["info"]["run_id"] == trial.run_id
    twice = f"runs/get?run_id={trial.run_id}&run_id={stranger.run_id}"
    assert code(trial.api("GET", twice)) == INVALID
    assert code(trial.api("GET", f"runs/get?run_id=&run_id={stranger.run_id}")) == INVALID


def test_a_prompt_is_no_model(member: Any) -> None:
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    answer = member(Role.CONTRIBUTOR).post(
        "model-versions/create", name="p", source="prompt-template", tags=tags
    )
    assert code(answer) == INVALID
