"""Who may do what through the gateway: trials, members by role, strangers, and the dead."""

import math
import sys

import pytest
from django.utils import timezone

from studio.models import ApiToken, Membership
from sweeps.engine.tracking import tracking
from sweeps.models import Attempt, MetricPoint, OutboxEntry, Sweep
from sweeps.services import metrics
from tests.gateway.conftest import ARTIFACTS, Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.gateway.urls")]


def code(answer):
    return answer.status_code, answer.json()["error_code"]


MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
DENIED = (403, "PERMISSION_DENIED")
UNKNOWN = (401, "UNAUTHENTICATED")
INVALID = (400, "INVALID_PARAMETER_VALUE")


def child_of(owner, **tags):
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    made = owner.api.post("runs/create", experiment_id=owner.experiment_id, tags=pairs)
    assert made.status_code == 200, made.text
    return made.json()["run"]["info"]["run_id"]


def writes_to(run_id):
    """Every way to change a run."""
    point = {"key": "loss", "value": 1, "timestamp": 1}
    pair = {"key": "k", "value": "v"}
    return {
        "runs/log-metric": point,
        "runs/log-parameter": pair,
        "runs/set-tag": pair,
        "runs/log-batch": {"metrics": [point]},
        "runs/update": {"status": "FINISHED"},
        "runs/delete-tag": {"key": "k"},
        "runs/log-inputs": {"datasets": []},
        "runs/outputs": {"models": []},
        "runs/log-model": {"model_json": "{}"},
        "runs/delete": {},
        "runs/restore": {},
    }


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer stt_no", "Bearer sst_no", "Basic dTpw"])
def test_without_a_good_token_everything_is_401(trial, header):
    for path in ("runs/get", "no/such/route"):
        answer = trial.api.__class__(trial.api.url, "")(
            "GET", path, params={"run_id": trial.run_id}, headers={"Authorization": header}
        )
        assert code(answer) == UNKNOWN
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_trials_token_dies_with_its_attempt(trial):
    assert trial.log("loss", 1).status_code == 200
    trial.end()
    assert code(trial.log("loss", 2)) == UNKNOWN
    assert code(trial.api.get("runs/get", run_id=trial.run_id)) == UNKNOWN
    assert MetricPoint.objects.count() == OutboxEntry.objects.count() == 1


def test_an_attempt_that_ends_between_check_and_write_stores_nothing(trial, monkeypatch):
    from sweeps.gateway import payloads

    parse = payloads.parse

    def end_then_parse(call, body, most):
        Attempt.objects.filter(pk=trial.attempt.pk).update(ended_at=timezone.now())
        return parse(call, body, most)

    monkeypatch.setattr(payloads, "parse", end_then_parse)
    assert code(trial.log("loss", 1)) == UNKNOWN
    assert not MetricPoint.objects.exists()
    assert not OutboxEntry.objects.exists()


def test_an_api_token_ends_when_it_is_revoked_and_when_its_owner_leaves(member, trial):
    revoked, left = member("contributor"), member("contributor")
    assert revoked.get("runs/get", run_id=trial.run_id).status_code == 200
    first, second = ApiToken.objects.order_by("pk")
    ApiToken.objects.filter(pk=first.pk).update(revoked_at=timezone.now())
    Membership.objects.filter(user=second.user).delete()
    assert code(revoked.get("runs/get", run_id=trial.run_id)) == UNKNOWN
    assert code(left.get("runs/get", run_id=trial.run_id)) == UNKNOWN


def test_another_workspace_is_the_same_404_whether_it_exists_or_not(trial, stranger):
    base = trial.api.url.rpartition("/")[0]
    answers = [
        Api(f"{base}/{workspace}", trial.token).get("runs/get", run_id=run_id)
        for workspace in ("elsewhere", "nowhere")
        for run_id in (stranger.run_id, trial.run_id, "0" * 32)
    ]
    assert {code(answer) for answer in answers} == {MISSING}
    assert len({answer.content for answer in answers}) == 1


# --- Runs -----------------------------------------------------------------------------------------


def test_a_trial_may_read_its_sibling_and_change_nothing_of_it(trial, sibling):
    before = tracking().get_run(sibling.run_id)
    assert trial.api.get("runs/get", run_id=sibling.run_id).status_code == 200
    for path, body in writes_to(sibling.run_id).items():
        answer = trial.api.post(path, run_id=sibling.run_id, **body)
        assert code(answer) == DENIED, path
    assert tracking().get_run(sibling.run_id) == before
    assert not MetricPoint.objects.exists()


def test_a_run_of_another_workspace_is_missing_to_all(trial, stranger, member):
    for api in (trial.api, member("owner")):
        for run_id in (stranger.run_id, "f" * 32):
            answers = [api.get("runs/get", run_id=run_id)]
            answers += [api.post(p, run_id=run_id, **b) for p, b in writes_to(run_id).items()]
            answers.append(api.get("artifacts/list", run_id=run_id))
            answers.append(api.get("metrics/get-history", run_id=run_id, metric_key="loss"))
            assert {code(answer) for answer in answers} == {MISSING}
            assert len({answer.content for answer in answers}) == 1


def test_two_names_for_the_run_do_not_open_another_one(trial, sibling):
    both = {"run_id": trial.run_id, "run_uuid": sibling.run_id}
    assert code(trial.api.post("runs/update", **both, status="FAILED")) == INVALID
    twice = {"run_id": trial.run_id, "runId": sibling.run_id}
    assert code(trial.api.post("runs/update", **twice, status="FAILED")) == INVALID
    raw = f'{{"run_id": "{sibling.run_id}", "run_id": "{trial.run_id}", "status": "FINISHED"}}'
    assert trial.api("POST", "runs/update", content=raw).status_code == 200
    assert tracking().get_run(sibling.run_id).status == "RUNNING"
    assert tracking().get_run(trial.run_id).status == "FINISHED"


def test_a_trial_may_not_delete_its_own_run_but_one_below_it(trial):
    assert code(trial.api.post("runs/delete", run_id=trial.run_id)) == DENIED
    child = child_of(trial)
    grandchild = child_of(trial, **{"mlflow.parentRunId": child})
    assert trial.api.post("runs/delete", run_id=grandchild).status_code == 200
    assert tracking().get_run(grandchild).lifecycle_stage == "deleted"


def test_a_run_a_trial_makes_is_forced_below_its_own(trial, sibling, stranger):
    made = trial.api.post("runs/create", experimentId=stranger.experiment_id)
    run = made.json()["run"]
    assert run["info"]["experiment_id"] == trial.experiment_id
    assert {"key": "mlflow.parentRunId", "value": trial.run_id} in run["data"]["tags"]
    for parent, expected in ((sibling.run_id, DENIED), (stranger.run_id, MISSING), ("", MISSING)):
        tag = {"key": "mlflow.parentRunId", "value": parent}
        answer = trial.api.post("runs/create", experiment_id="0", tags=[tag])
        assert code(answer) == expected


def test_tags_by_which_the_studio_finds_runs_are_its_own(trial, member):
    child = child_of(trial)
    for run_id in (trial.run_id, child):
        for key in ("studio.attempt", "mlflow.parentRunId"):
            pair = {"key": key, "value": "1"}
            assert code(trial.api.post("runs/set-tag", run_id=run_id, **pair)) == INVALID
            assert code(trial.api.post("runs/log-batch", run_id=run_id, tags=[pair])) == INVALID
            assert code(trial.api.post("runs/delete-tag", run_id=run_id, key=key)) == INVALID
    tag = {"key": "studio.attempt", "value": "1"}
    made = member("owner").post("runs/create", experiment_id=trial.experiment_id, tags=[tag])
    assert code(made) == INVALID


# --- Experiments ----------------------------------------------------------------------------------


def test_to_a_trial_every_experiment_name_is_its_own(trial, stranger):
    found = trial.api.get("experiments/get-by-name", experiment_name="elsewhere/Default")
    assert found.json()["experiment"]["experiment_id"] == trial.experiment_id
    made = trial.api.post("experiments/create", name="x", artifact_location="file:///etc")
    assert made.json() == {"experiment_id": trial.experiment_id}
    assert code(trial.api.get("experiments/get", experiment_id=stranger.experiment_id)) == MISSING
    tag = {"experiment_id": trial.experiment_id, "key": "k", "value": "v"}
    assert code(trial.api.post("experiments/set-experiment-tag", **tag)) == DENIED


def test_a_members_experiment_gets_the_workspaces_name_and_no_place_of_its_own(member, stranger):
    api = member("contributor")
    made = api.post("experiments/create", name="elsewhere/new")
    experiment_id = made.json()["experiment_id"]
    found = api.get("experiments/get", experiment_id=experiment_id).json()["experiment"]
    assert found["name"] == "default/elsewhere/new"
    assert found["artifact_location"] == f"mlflow-artifacts:/{experiment_id}"
    for spelling in ("artifact_location", "artifactLocation"):
        answer = api.post("experiments/create", name="bad", **{spelling: "file:///etc"})
        assert code(answer) == INVALID
    answer = api.get("experiments/get-by-name", experiment_name="elsewhere/Default")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "given", ["", "name LIKE '%'", "name LIKE 'elsewhere/%'", "name LIKE '%' --", "name = 'x' OR 1"]
)
def test_no_filter_finds_another_workspaces_experiment(member, stranger, trial, given):
    for answer in (
        member("reader").post("experiments/search", max_results=1000, filter=given),
        trial.api.get("experiments/search", max_results="1000", filter=given),
    ):
        names = [e["name"] for e in answer.json().get("experiments", [])]
        assert all(name.startswith("default/") for name in names)
        assert names or given not in ("", "name LIKE '%'")


def test_runs_and_models_are_searched_in_the_workspaces_experiments_only(trial, stranger):
    both = [trial.experiment_id, stranger.experiment_id]
    for path in ("runs/search", "logged-models/search"):
        assert code(trial.api.post(path, experiment_ids=both)) == MISSING
        assert trial.api.post(path, experiment_ids=both[:1]).status_code == 200
        assert code(trial.api.post(path)) == INVALID


# --- Roles ----------------------------------------------------------------------------------------


def test_a_reader_reads_and_writes_nothing(trial, member):
    api = member("reader")
    assert api.get("runs/get", run_id=trial.run_id).status_code == 200
    for path, body in writes_to(trial.run_id).items():
        assert code(api.post(path, run_id=trial.run_id, **body)) == DENIED, path
    assert code(api.post("runs/create", experiment_id=trial.experiment_id)) == DENIED
    assert code(api.post("experiments/create", name="x")) == DENIED
    assert code(api.post("registered-models/create", name="x")) == DENIED
    path = f"{ARTIFACTS}{trial.experiment_id}/{trial.run_id}/artifacts/a.txt"
    assert code(api("PUT", path, content=b"x")) == DENIED
    assert code(api("DELETE", path)) == DENIED


def test_a_contributor_changes_runs_of_the_workspace(trial, member):
    answer = member("contributor").post("runs/set-tag", run_id=trial.run_id, key="k", value="v")
    assert answer.status_code == 200
    assert tracking().get_run(trial.run_id).tags["k"] == "v"


# --- Models ---------------------------------------------------------------------------------------


def logged_model(owner, **fields):
    made = owner.api.post("logged-models", experiment_id=owner.experiment_id, name="m", **fields)
    assert made.status_code == 200, made.text
    return made.json()["model"]["info"]


def test_a_logged_model_belongs_to_the_run_that_made_it(trial, sibling, stranger):
    info = logged_model(trial)
    assert (info["source_run_id"], info["experiment_id"]) == (trial.run_id, trial.experiment_id)
    path = f"logged-models/{info['model_id']}"
    tags = {"tags": [{"key": "k", "value": "v"}]}
    assert sibling.api.get(path).status_code == 200
    assert code(sibling.api("PATCH", f"{path}/tags", json=tags)) == DENIED
    assert code(sibling.api("DELETE", path)) == DENIED
    assert code(stranger.api.get(path)) == MISSING
    assert code(stranger.api.get("logged-models/m-" + "0" * 32)) == MISSING
    assert trial.api("PATCH", f"{path}/tags", json=tags).status_code == 200
    body = {"name": "m", "experiment_id": "0", "source_run_id": sibling.run_id}
    assert code(trial.api.post("logged-models", **body)) == DENIED
    point = {"key": "loss", "value": 1, "timestamp": 1, "model_id": info["model_id"]}
    assert code(sibling.api.post("runs/log-metric", run_id=sibling.run_id, **point)) == DENIED
    assert trial.api.post("runs/log-metric", run_id=trial.run_id, **point).status_code == 200


def test_registered_models_stay_in_their_workspace(trial, sibling, stranger, member):
    for owner in (trial, stranger):
        made = owner.api.post("registered-models/create", name="iris")
        assert made.status_code == 200
    api = member("contributor")
    assert api.get("registered-models/get", name="iris").json()["registered_model"]["name"] == (
        "default.iris"
    )
    assert api.get("registered-models/get", name="elsewhere.iris").status_code == 404
    found = {
        given: {
            model["name"]
            for model in api.get("registered-models/search", filter=given)
            .json()
            .get("registered_models", [])
        }
        for given in ("", "name LIKE '%'", "name = 'iris'", "name = 'elsewhere.iris'")
    }
    # Other tests make models of this workspace, too.
    assert found[""] == found["name LIKE '%'"] >= {"default.iris"}
    assert all(name.startswith("default.") for name in found[""])
    assert found["name = 'iris'"] == {"default.iris"}
    assert found["name = 'elsewhere.iris'"] == set()
    assert code(trial.api("DELETE", "registered-models/delete", json={"name": "iris"})) == DENIED
    foreign = logged_model(stranger)["model_id"]
    for source in (f"models:/{foreign}", f"runs:/{stranger.run_id}/m", "models:/elsewhere.iris/1"):
        for who in (trial.api, api):
            answer = who.post("model-versions/create", name="iris", source=source)
            assert answer.status_code == 404, (source, answer.text)
    theirs = logged_model(sibling)["model_id"]
    body = {"name": "iris", "source": f"models:/{theirs}", "model_id": theirs}
    assert code(trial.api.post("model-versions/create", **body)) == DENIED
    for source in ("file:///etc/passwd", "s3://bucket/x", "runs:/../x", "/etc", "models:/%2e%2e"):
        assert code(api.post("model-versions/create", name="iris", source=source)) == INVALID
    made = api.post("model-versions/create", **body)
    assert made.status_code == 200, made.text
    versions = api.get("model-versions/search").json()["model_versions"]
    assert [v["name"] for v in versions] == ["default.iris"]
    assert (
        "model_versions" not in stranger.api.get("model-versions/search").json()
        or not (stranger.api.get("model-versions/search").json()["model_versions"])
    )


# --- Artifacts ------------------------------------------------------------------------------------


def test_artifacts_are_written_by_their_trial_and_read_by_the_workspace(
    trial, sibling, stranger, member
):
    path = f"{ARTIFACTS}{trial.experiment_id}/{trial.run_id}/artifacts/page.html"
    page = b"<script>alert(1)</script>"
    assert code(sibling.api("PUT", path, content=page)) == DENIED
    assert code(stranger.api("PUT", path, content=page)) == MISSING
    assert trial.api("PUT", path, content=page).status_code == 200
    got = member("reader")("GET", path)
    assert got.content == page
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"] == "attachment"
    assert got.headers["Content-Security-Policy"].startswith("sandbox")
    assert code(stranger.api("GET", path)) == MISSING
    assert code(sibling.api("DELETE", path)) == DENIED
    folder = path.removesuffix("/page.html").removeprefix(ARTIFACTS)
    listed = trial.api("GET", ARTIFACTS[:-1], params={"path": folder})
    assert [f["path"] for f in listed.json()["files"]] == ["page.html"]
    assert code(stranger.api("GET", ARTIFACTS[:-1], params={"path": folder})) == MISSING
    assert trial.api("DELETE", path).status_code == 200
    assert trial.api("GET", path).status_code in (404, 500)


def test_an_artifacts_path_cannot_leave_its_run(trial, sibling, stranger, tracking_line):
    own = f"{trial.experiment_id}/{trial.run_id}/artifacts"
    outside = tracking_line.artifacts / stranger.experiment_id / stranger.run_id
    for rest in (
        f"{own}/../../{stranger.run_id}/artifacts/x",
        f"{own}/%2e%2e/%2e%2e/x",
        f"{own}/%252e%252e/x",
        f"{own}/..%2fx",
        f"{own}/..%5cx",
        f"{own}//x",
        f"{own}/./x",
        f"{own}/a%23b",
        f"{own}/a%3fb",
        f"{own}/a%3bb",
        f"{own}/a%00b",
        f"{own}%2f..%2f..%2fx",
        f"{trial.experiment_id}/{stranger.run_id}/artifacts/x",
        f"{stranger.experiment_id}/{trial.run_id}/artifacts/x",
        f"{trial.experiment_id}/{trial.run_id}/other/x",
        f"{trial.experiment_id}/traces/{trial.run_id}/artifacts/x",
        f"{trial.experiment_id}",
        "etc/passwd",
        "%2fetc%2fpasswd",
        "models/artifacts/x",
    ):
        for method in ("PUT", "GET", "DELETE"):
            answer = raw(trial.api, method, ARTIFACTS + rest)
            assert answer in (400, 404), (method, rest, answer)
    assert not outside.exists()
    for path in ("", "..", f"{own}/..", "/", stranger.experiment_id, f"{own}/%2e%2e"):
        answer = trial.api("GET", ARTIFACTS[:-1], params={"path": path})
        assert answer.status_code in (400, 404), path


def raw(api, method, path):
    """The status of a request whose path is sent just as it stands."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {api.token}", "Connection": "close"}
    body = b"x" if method == "PUT" else None
    try:
        connection.request(method, parts.path + path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


# --- The rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/mlflow/users/get"),
        ("POST", "/api/2.0/mlflow/experiments/delete"),
        ("GET", "/ajax-api/2.0/mlflow/runs/get"),
        ("GET", "/get-artifact"),
        ("GET", "/"),
        ("POST", "/api/2.0/mlflow/runs/get"),
        ("GET", "/api/3.0/mlflow/traces/x"),
    ],
)
def test_a_route_not_in_the_table_is_not_there(trial, method, path):
    answer = trial.api(method, path)
    assert code(answer) == (404, "ENDPOINT_NOT_FOUND")


def test_what_mlflow_would_refuse_is_refused_before_it_is_stored(trial):
    for name, value in (("../x", 1), ("loss", "high"), ("", 1), ("x" * 251, 1)):
        assert code(trial.log(name, value)) == INVALID
    assert code(trial.api("POST", "runs/log-batch", content=b"[1")) == INVALID
    assert not MetricPoint.objects.exists()


def test_one_name_too_many_is_refused_in_mlflows_words(trial, monkeypatch):
    assert trial.log("loss", 1).status_code == 200
    monkeypatch.setattr(metrics, "_beyond", lambda _trial: [1])
    assert code(trial.log("another", 1)) == INVALID
    assert "at most 10,000 names" in trial.log("another", 1).json()["message"]
    assert trial.log("loss", 2, 1).status_code == 200


def test_any_float_is_kept_as_it_was_logged(trial):
    for step, value in enumerate(["NaN", "Infinity", "-Infinity", 1.7e308, 1.7e308, -0.5]):
        assert trial.log("loss", value, step).status_code == 200
    kinds = MetricPoint.objects.order_by("report").values_list("kind", flat=True)
    assert list(kinds) == ["nan", "inf", "-inf", "num", "num", "num"]
    history = trial.api.get("metrics/get-history", run_id=trial.run_id, metric_key="loss")
    nan, *values = [float(m["value"]) for m in history.json()["metrics"]]
    most = sys.float_info.max  # MLflow's own store keeps an infinity as the largest number
    assert math.isnan(nan)
    assert values == [most, -most, 1.7e308, 1.7e308, -0.5]


def test_the_sweep_of_a_page_moves_on_with_each_value(trial):
    before = Sweep.objects.get().revision
    trial.log("loss", 1)
    assert Sweep.objects.get().revision > before
