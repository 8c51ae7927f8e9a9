"""The OpenAPI document beyond what ninja derives from signatures: errors, headers, other bodies."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

_ERRORS = {
    401: "The token is missing, unknown, expired or revoked",
    404: "There is no such thing, or this token may not do that there",
    409: "Not possible in the present state, or the same request is being carried out",
    412: "The sweep has changed since",
    413: "More than is taken",
    422: "The request cannot be used; every problem is told",
    429: "More requests than the token may make",
    503: "The database or the tracking server does not answer",
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "properties": {
        "code": {
            "type": "string",
            "enum": [
                "invalid", "unauthenticated", "not_found", "method_not_allowed", "conflict",
                "precondition_failed", "too_large", "rate_limited", "unavailable",
            ],
        },
        "message": {"type": "string"},
        "field": {"type": "string", "description": "Dotted path in what was sent"},
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
    },
    "required": ["code", "message"],
    "additionalProperties": False,
}  # fmt: skip
_ANSWER = {
    "type": "object",
    "title": "Errors",
    "properties": {
        "error": {"$ref": "#/components/schemas/Problem"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
    },
    "required": ["error", "errors"],
    "additionalProperties": False,
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 64},
    "description": "Sent again with the same key, a request gets its first answer again.",
}
_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "304 if the answer still has this ETag.",
}
_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "412 unless the sweep still has the revision of this ETag.",
}
_SWEEP = "/api/v1/workspaces/{ws}/sweeps/{name}"


class StudioAPI(NinjaAPI):
    """The API with its whole document."""

    def get_openapi_schema(self, **named: Any) -> OpenAPISchema:
        """As ninja makes it, completed."""
        schema = super().get_openapi_schema(**named)
        schema["components"]["schemas"] |= {"Problem": _PROBLEM, "Errors": _ANSWER}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
        return schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status in _possible(path, method, operation):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}
        responses[status] = {"description": _ERRORS[status], "content": content}
    if method == "get":
        responses[304] = {"description": "What the client has is still true"}
        operation["parameters"].append(_NONE_MATCH)
    elif method == "post":
        operation["parameters"].append(_KEY)
    elif method == "patch" and path == _SWEEP:
        operation["parameters"].append(_MATCH)


def _possible(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    found = [401, 404, 422, 429, 503]
    if method != "get":
        found.append(409)
    if "requestBody" in operation or method == "post":
        found.append(413)
    if method == "patch" and path == _SWEEP:
        found.append(412)
    return found
