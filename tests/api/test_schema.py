"""The OpenAPI document and the page that shows it."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from studio.security_headers import CONTENT_SECURITY_POLICY


@pytest.fixture
def schema(client: Client, db: None) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def test_the_schema_is_openapi_3_1_with_bearer_tokens(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    [scheme] = schema["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"]
            assert operation["summary"]


def test_names_in_the_schema_resolve_and_are_once(schema: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    used = set(re.findall(r"'\$ref': '([^']+)'", str(schema)))
    assert used
    assert used <= known
    operations = [op for path in schema["paths"].values() for op in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for path, found in schema["paths"].items():
        for operation in found.values():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_the_ways_to_post_a_sweep_are_in_the_schema(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/api/v1/workspaces/{ws}/sweeps"]["post"]
    assert set(operation["requestBody"]["content"]) == {
        "application/json",
        "application/yaml",
        "multipart/form-data",
    }
    assert "201" in operation["responses"]


def test_the_docs_page_is_ours_alone(client: Client, db: None) -> None:
    response = client.get("/api/v1/docs")
    assert response.status_code == 200
    html = response.content.decode()
    assert "//" not in re.sub(r"<!--.*?-->", "", html)
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert not re.findall(r"<script>|<script type=.text/javascript", html)
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert len(files) >= 3
    for name in files:
        assert finders.find(name), name


def test_every_operation_tells_its_errors_in_one_shape(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            told = operation["responses"]
            assert {"401", "404", "422", "429", "503"} <= set(told), (method, path)
            for status, answer in told.items():
                if status >= "400":
                    found = answer["content"]["application/json"]["schema"]["$ref"]
                    assert found == "#/components/schemas/Errors", (method, path, status)
            headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method == "post"), (method, path)
    states = schema["components"]["schemas"]["SweepOut"]["properties"]["status"]["enum"]
    assert "Completed" in states


def test_a_nul_in_an_address_is_answered_in_json(client: Client, db: None) -> None:
    response = client.get("/api/v1/workspaces?cursor=%00")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
