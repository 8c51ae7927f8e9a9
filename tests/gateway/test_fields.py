"""Every field that an allowed request may have is judged, as MLflow's own parser knows them."""

import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from sweeps.gateway.routes import ARTIFACTS, ROUTES, Names, Ref, Route, judged_first, match

# What names nothing of anybody's: texts, numbers, tags, and what a search is confined in anyway.
_HARMLESS = """
    key value timestamp step status end_time run_name user_id start_time model_json
    dataset_name dataset_digest metrics metrics.key metrics.value metrics.timestamp metrics.step
    metrics.dataset_name metrics.dataset_digest params params.key params.value
    tags tags.key tags.value tag_key models models.step
    datasets datasets.tags datasets.tags.key datasets.tags.value datasets.dataset
    datasets.dataset.name datasets.dataset.digest datasets.dataset.source_type
    datasets.dataset.source datasets.dataset.schema datasets.dataset.profile
    datasets.dataset_name datasets.dataset_digest
    metric_key page_token max_results start_step end_step filter run_view_type view_type
    order_by order_by.field_name order_by.ascending order_by.dataset_name order_by.dataset_digest
    model_type description deployment_job_id alias version stage stages
    archive_existing_versions run_link
    """
HARMLESS = frozenset(_HARMLESS.split())
# Taken out or set by `adapt`, whatever was sent.
DECIDED = {"experiments/create": {"artifact_location"}, "logged-models": {"name"}}
# Served by no protobuf message: the whole request is the path.
PLAIN = {ARTIFACTS + "/{path...}", "/api/3.0/mlflow/server-info", "/version", "/health"}


def messages() -> dict[tuple[str, str], Any]:
    """(method, path) -> the message that MLflow parses the request into."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.protos import databricks_pb2, mlflow_artifacts_pb2, model_registry_pb2
        from mlflow.protos import service_pb2 as service
    services = (
        (service, "MlflowService"),
        (model_registry_pb2, "ModelRegistryService"),
        (mlflow_artifacts_pb2, "MlflowArtifactsService"),
    )
    return {
        (endpoint.method, shape(f"/api/2.0{endpoint.path}")): method.input_type
        for module, name in services
        for method in module.DESCRIPTOR.services_by_name[name].methods
        for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints
    }


def shape(pattern: str) -> str:
    return re.sub(r"\{[^}]*\}|<[^>]*>", "{}", pattern)


def fields(message: Any, above: str = "", depth: int = 0) -> Iterator[str]:
    for field in message.fields:
        yield above + field.name
        if field.message_type and depth < 4:
            yield from fields(field.message_type, f"{above}{field.name}.", depth + 1)


def judged(route: Route) -> set[str]:
    return {f"{ref.within}.{key}" if ref.within else key for ref in route.refs for key in ref.keys}


def unjudged(route: Route, message: Any) -> set[str]:
    tail = "/".join(route.pattern.split("/")[4:])
    return set(fields(message)) - judged(route) - HARMLESS - DECIDED.get(tail, set())


def test_every_field_of_every_allowed_request_is_judged() -> None:
    known = messages()
    for route in ROUTES:
        if route.pattern not in PLAIN:
            message = known[route.method, shape(route.pattern)]
            assert unjudged(route, message) == set(), route.pattern


def test_a_field_that_a_new_mlflow_brings_fails() -> None:
    known = messages()
    matched = match("POST", "/api/2.0/mlflow/runs/log-metric")
    assert matched is not None
    other = known["POST", "/api/2.0/mlflow/model-versions/create"]
    assert unjudged(matched.route, other) == {"name", "source"}


def test_what_is_judged_is_spelled_as_mlflow_spells_it() -> None:
    """`runUuid` and whatever else its parser takes for a field; an old name stays harmless."""
    known = messages()
    for route in ROUTES:
        if route.pattern in PLAIN:
            continue
        message = known[route.method, shape(route.pattern)]
        for ref in route.refs:
            at = message.fields_by_name[ref.within].message_type if ref.within else message
            there = [at.fields_by_name[key] for key in ref.keys if key in at.fields_by_name]
            assert there or ref.where == "path", (route.pattern, ref)
            for field in there:
                assert {field.name, field.json_name} <= set(ref.spellings)


def test_what_was_judged_is_parsed_before_what_the_parser_may_stumble_over() -> None:
    matched = match("POST", "/api/2.0/mlflow/runs/log-batch")
    assert matched is not None
    body = {"tags": [5], "params": 1, "metrics": [], "runId": "a", "filter": "x"}
    assert list(judged_first(matched, body)) == ["metrics", "runId", "filter", "tags", "params"]


@pytest.mark.parametrize("key", ["model_id", "modelId"])
def test_both_spellings_of_a_nested_id_are_seen(key: str) -> None:
    from sweeps.gateway.routes import references

    matched = match("POST", "/api/2.0/mlflow/runs/outputs")
    assert matched is not None
    body = {"run_id": "r", "models": [{"model_id": "m-1"}, {key: "m-2", "step": 1}]}
    assert references(matched, [], body)[Names.MODEL] == ("m-1", "m-2")


def test_a_reference_says_where_it_stands() -> None:
    refs = {ref for route in ROUTES for ref in route.refs}
    assert all(isinstance(ref, Ref) and ref.where in ("body", "query", "path") for ref in refs)
    assert all(ref.where == "body" and ref.many for ref in refs if ref.within)
