"""The allowlist of the tracking gateway."""

import re
import warnings

import pytest

from sweeps.gateway.routes import (
    ROUTES,
    BadReference,
    Kind,
    Names,
    artifact_owner,
    canonical,
    match,
    references,
)

RUN = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"

# What is refused on purpose, with the reason: a path and what is under it, or, when it ends in
# "/" or "-", all that begins so. It tells a route we judged from one a new MLflow brought.
REFUSED: tuple[tuple[str, str], ...] = (
    ("/ajax-api/", "the twin of /api/ for MLflow's own pages, and what only those need"),
    ("/graphql", "for MLflow's own pages; one query may name many runs"),
    ("/static-files/", "MLflow's own pages"),
    ("/build/", "MLflow's own pages"),
    ("/get-artifact", "MLflow's own pages; the artifact routes serve files"),
    ("/model-versions/get-artifact", "MLflow's own pages; the artifact routes serve files"),
    ("/api/2.0mlflow/", "a path MLflow registers by mistake (a missing slash)"),
    ("/v1/traces", "a trace of a GenAI call belongs to an experiment, not to a run"),
    ("/api/2.0/mlflow/traces", "a trace belongs to an experiment, not to a run"),
    ("/api/3.0/mlflow/traces", "a trace belongs to an experiment, not to a run"),
    ("/api/2.0/mlflow/unified-traces", "a trace belongs to an experiment, not to a run"),
    ("/api/2.0/mlflow/get-online-trace-details", "a trace belongs to an experiment"),
    ("/api/2.0/mlflow/webhooks", "makes the server call any address (SSRF); we have our own"),
    ("/api/2.0/mlflow/experiments/delete", "an experiment is shared by the workspace's sweeps"),
    ("/api/2.0/mlflow/experiments/restore", "an experiment is shared by the workspace's sweeps"),
    ("/api/2.0/mlflow/experiments/update", "renames; its name says whose workspace it is"),
    ("/api/2.0/mlflow/artifacts/presigned-", "a local artifact store signs no addresses"),
    ("/api/2.0/mlflow-artifacts/presigned/", "a local artifact store signs no addresses"),
    ("/api/2.0/mlflow-artifacts/mpu/", "a local artifact store takes no multipart uploads"),
    ("/api/3.0/mlflow/datasets", "GenAI evaluation data, not bound to a run"),
    ("/api/3.0/mlflow/gateway/", "MLflow's LLM gateway: keys and outgoing calls"),
    ("/gateway/", "MLflow's LLM gateway: keys and outgoing calls"),
    ("/api/3.0/mlflow/issues", "GenAI review, not bound to a run"),
    ("/api/3.0/mlflow/label-schemas/", "GenAI review, not bound to a run"),
    ("/api/3.0/mlflow/review-queues/", "GenAI review, not bound to a run"),
    ("/api/3.0/mlflow/prompt-optimization/", "job execution is off"),
    ("/api/3.0/mlflow/scorers/", "GenAI judges: stored code and outgoing calls"),
    ("/api/3.0/mlflow/workspaces", "MLflow's own workspaces are off; ours are not these"),
    ("/api/3.0/mlflow/mcp-servers", "a registry of MCP servers, not bound to a run"),
)


def installed_routes() -> set[tuple[str, str]]:
    """Every (method, pattern) the installed MLflow server answers, as `{x}` and `{x...}`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow imports a deprecated WSGI adapter
        from mlflow.server import app as flask_app
        from mlflow.server.fastapi_app import app as fastapi_app
    found = {
        (method, re.sub(r"<path:(\w+)>", r"{\1...}", re.sub(r"<(\w+)>", r"{\1}", rule.rule)))
        for rule in flask_app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    native, mounts = fastapi_app.routes[:-1], fastapi_app.routes[-1:]
    assert [type(mount).__name__ for mount in mounts] == ["Mount"], "the Flask app alone is mounted"
    for included in native:
        prefix = included.include_context.prefix
        for route in included.original_router.routes:
            pattern = re.sub(r"\{(\w+):path\}", r"{\1...}", prefix + route.path)
            found |= {(method, pattern) for method in route.methods}
    return found


def shape(method: str, pattern: str) -> tuple[str, str]:
    """The route without the names of its places, which MLflow may rename."""
    return method, re.sub(r"\{\w+(\.\.\.)?\}", r"{\1}", pattern)


def covers(refused: str, pattern: str) -> bool:
    if refused.endswith(("/", "-")):
        return pattern.startswith(refused)
    return pattern == refused or pattern.startswith(refused + "/")


def is_refused(pattern: str) -> bool:
    front_page = pattern == "/"  # of MLflow itself
    return front_page or any(covers(refused, pattern) for refused, _reason in REFUSED)


def unjudged() -> list[tuple[str, str]]:
    """Routes of the installed MLflow that are neither allowed nor refused on purpose."""
    allowed = {shape(route.method, route.pattern) for route in ROUTES}
    return sorted(
        r for r in installed_routes() if shape(*r) not in allowed and not is_refused(r[1])
    )


def test_every_mlflow_route_is_judged():
    assert len(installed_routes()) > 400
    assert unjudged() == []


def test_every_judgement_is_about_a_route_mlflow_has():
    installed = installed_routes()
    shapes = {shape(*route) for route in installed}
    gone = [r.pattern for r in ROUTES if shape(r.method, r.pattern) not in shapes]
    unused = [p for p, _ in REFUSED if not any(covers(p, path) for _, path in installed)]
    assert (gone, unused) == ([], [])


def test_no_route_is_both_allowed_and_refused():
    assert [route.pattern for route in ROUTES if is_refused(route.pattern)] == []


def test_every_allowed_route_matches_itself():
    for route in ROUTES:
        path = route.pattern.replace("{path...}", "1/a/artifacts/b c.txt").replace("{", "")
        matched = match(route.method, path.replace("}", ""))
        assert matched is not None, route.pattern
        assert matched.route is route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/mlflow/runs/log-metric"),
        ("POST", "/api/2.0/mlflow/runs/log-metric/"),
        ("POST", "/API/2.0/mlflow/runs/log-metric"),
        ("POST", "/api/2.0/mlflow/experiments/delete"),
        ("GET", "/ajax-api/2.0/mlflow/runs/get"),
        ("POST", "/graphql"),
        ("GET", "/api/2.0/mlflow/logged-models/m-1/artifacts/files"),
        ("PATCH", ARTIFACTS + "/1/a/artifacts/x"),
        ("PUT", ARTIFACTS),
    ],
)
def test_an_unknown_request_has_no_route(method, path):
    assert match(method, path) is None


SPELLINGS = (
    "{}/", "/{}", "{}.", "{} ", "{}%20", "{};", "{};x=1", "{}%3b", "{}?", "{}#", "{}\n", "{}\0",
    "{}//", "{}/.", "{}/..", "/.{}", "/..{}", "/x/..{}", "{}%2f", "{}\\", "{}\u200b",
    "{}/get", "{}\ufeff",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_route_has_one_spelling(spelling):
    for route in ROUTES:
        if "{" not in route.pattern:
            matched = match(route.method, spelling.format(route.pattern))
            # As with `logged-models/…`, where another route takes any word.
            assert matched is None or "{" in matched.route.pattern, route.pattern


def test_a_route_has_one_case_and_one_script():
    for route in ROUTES:
        for path in (
            route.pattern.upper(),
            route.pattern.title(),
            route.pattern.replace("mlflow", "mlfl\u043ew"),
            route.pattern.replace("/api/2.0", "/api/3.0"),
            route.pattern.replace("/api/2.0", "/api/2.00"),
            route.pattern.replace("/api/", "/ajax-api/"),
            route.pattern.replace("2.0", "\uff12.0"),
        ):
            if path != route.pattern:
                assert match(route.method, path) is None, path


@pytest.mark.parametrize(
    "method",
    ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Post", "GET ", "", "QUERY"],
)
def test_a_route_has_its_own_method_alone(method):
    assert [route.pattern for route in ROUTES if match(method, route.pattern)] == []


@pytest.mark.parametrize(
    "tail",
    ["../x", "a/../x", "a/./x", "a//x", "a/", "a%2e", "a\\x", "a#x", "a;x", "a?x", "a\x00", "a\n"],
)
def test_a_path_that_some_parser_could_read_otherwise_is_refused(tail):
    assert match("GET", f"{ARTIFACTS}/1/{RUN}/artifacts/{tail}") is None
    assert canonical(f"/1/{tail}") is None


@pytest.mark.parametrize("tail", ["../x", "a/./x", "a//x", "a%2e", "a\\x", "a\x00"])
def test_an_unsafe_artifact_path_has_no_owner(tail):
    assert artifact_owner(f"1/{RUN}/artifacts/{tail}") is None


def test_a_lone_surrogate_is_refused():
    assert canonical("/a\udcff") is None


def test_a_file_name_is_captured_and_encoded_once_for_the_server():
    matched = match("PUT", f"{ARTIFACTS}/1/{RUN}/artifacts/dir/é a+b&c=d.txt")
    assert matched is not None
    assert matched.captured == {"path": f"1/{RUN}/artifacts/dir/é a+b&c=d.txt"}
    assert matched.upstream_path.endswith("/dir/%C3%A9%20a%2Bb%26c%3Dd.txt")


def test_the_four_log_calls_and_nothing_else_are_stored_first():
    logged = {r.pattern.rsplit("/", 1)[1] for r in ROUTES if r.kind is Kind.LOG}
    assert logged == {"log-metric", "log-parameter", "log-batch", "set-tag"}


def test_a_get_never_writes_and_every_other_method_but_searches_does():
    for route in ROUTES:
        reading_posts = ("/search", "/get-latest-versions")
        expected = route.method != "GET" and not route.pattern.endswith(reading_posts)
        assert route.writes is expected, route.pattern


def post(path: str, body: object) -> dict[Names, tuple[str, ...]]:
    matched = match("POST", "/api/2.0/mlflow/" + path)
    assert matched is not None
    return references(matched, [], body)


def test_the_run_is_read_under_each_of_its_spellings():
    for key in ("run_id", "run_uuid", "runId", "runUuid"):
        assert post("runs/update", {key: RUN, "status": "FINISHED"}) == {Names.RUN: (RUN,)}
    assert post("runs/update", {"run_id": RUN, "run_uuid": RUN}) == {Names.RUN: (RUN,)}


@pytest.mark.parametrize(
    "body",
    [
        {"run_id": RUN, "run_uuid": OTHER},
        {"run_id": RUN, "runId": OTHER},
        {"run_id": [RUN]},
        {"run_id": 7},
        {"run_id": ""},
        {},
        None,
        [RUN],
    ],
)
def test_an_ambiguous_or_missing_run_is_refused(body):
    with pytest.raises(BadReference):
        post("runs/update", body)


def test_a_repeated_query_key_with_another_value_is_refused():
    matched = match("GET", "/api/2.0/mlflow/runs/get")
    assert references(matched, [("run_uuid", RUN), ("run_id", RUN)], None) == {Names.RUN: (RUN,)}
    with pytest.raises(BadReference, match="two different values"):
        references(matched, [("run_id", RUN), ("run_id", OTHER)], None)


def test_a_search_names_all_of_its_experiments_and_at_least_one():
    assert post("runs/search", {"experiment_ids": ["1", "2", "1"]}) == {
        Names.EXPERIMENT: ("1", "2")
    }
    assert post("runs/search", {"experimentIds": ["1"]}) == {Names.EXPERIMENT: ("1",)}
    with pytest.raises(BadReference, match="experiment_ids"):
        post("runs/search", {"experiment_ids": []})


def test_a_model_in_the_body_counts_beside_the_one_in_the_path():
    matched = match("PATCH", "/api/2.0/mlflow/logged-models/m-mine")
    assert references(matched, [], {"model_id": "m-theirs", "status": 2}) == {
        Names.MODEL: ("m-mine", "m-theirs")
    }


def test_a_new_model_version_names_its_model_source_and_run():
    body = {"name": "iris", "source": "models:/m-1", "model_id": "m-1"}
    assert post("model-versions/create", body) == {
        Names.REGISTERED_MODEL: ("iris",),
        Names.SOURCE: ("models:/m-1",),
        Names.RUN: (),
        Names.MODEL: ("m-1",),
    }


def test_an_artifact_path_tells_its_owner():
    run = artifact_owner(f"3/{RUN}/artifacts/plots/a.png")
    model = artifact_owner("3/models/m-1/artifacts")
    assert run is not None
    assert model is not None
    assert (run.experiment_id, run.run_id, run.model_id, run.rest) == (
        "3",
        RUN,
        None,
        "plots/a.png",
    )
    assert (model.experiment_id, model.run_id, model.model_id, model.rest) == ("3", None, "m-1", "")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "3",
        f"3/{RUN}",
        "3/traces/tr-1/artifacts/x",
        "3/models/m-1",
        "3/models/artifacts/x",
        "3/traces/artifacts/x",
    ],
)
def test_a_path_outside_of_runs_and_models_has_no_owner(path):
    assert artifact_owner(path) is None


def test_an_empty_reference_before_a_good_one_is_refused():
    """MLflow takes the first value, so the second one must not be what is authorized."""
    found = match("GET", ARTIFACTS)
    assert found is not None
    with pytest.raises(BadReference, match="must not be empty"):
        references(found, [("path", ""), ("path", "1/abc/artifacts")], None)


def test_a_route_that_a_new_mlflow_brings_fails(monkeypatch):
    from mlflow.server import app as flask_app
    from mlflow.server.fastapi_app import app as fastapi_app
    from werkzeug.routing import Map, Rule

    known = [rule.empty() for rule in flask_app.url_map.iter_rules()]
    new = Rule("/api/2.0/mlflow/runs/steal", methods=["POST"], endpoint="steal")
    monkeypatch.setattr(flask_app, "url_map", Map([*known, new]))
    assert [r for r in installed_routes() if r[1].endswith("steal")]
    assert unjudged() == [("POST", "/api/2.0/mlflow/runs/steal")]
    first = fastapi_app.routes[0]
    monkeypatch.setattr(first.include_context, "prefix", "/elsewhere")
    assert [path for _method, path in unjudged() if path.startswith("/elsewhere/")]
