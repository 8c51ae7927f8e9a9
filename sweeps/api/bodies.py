"""What operations are sent: bodies as the schema describes them, small ones read, the ticket.

Bodies are read by hand, not by ninja, so that every problem is told at once with the path of its
field, and unknown keys are told instead of dropped.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from ninja import Header

from sweeps.domain.problems import InvalidInput
from sweeps.spec import checks
from sweeps.spec.keys import Reading

# What a client calls its request: sent again (an answer was lost), it makes nothing new.
Ticket: TypeAlias = Annotated[str, Header(alias="Idempotency-Key", max_length=64)]

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer", "minimum": 0}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _body(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": bool(required), "content": content}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def multipart(parts: dict[str, str], required: Sequence[str] = ()) -> dict[str, Any]:
    """A multipart form of files; `parts` says what each is."""
    file = {"type": "string", "format": "binary"}
    schema = {
        "type": "object",
        "properties": {name: file | {"description": text} for name, text in parts.items()},
        "required": list(required),
    }
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


CLONE = _body({"name": _TEXT, "display_name": _TEXT})
RERUN = _body({"signature": _TEXT})
POINT = _body({"params": {"type": "object"}}, required=["params"])
EDIT = _body(
    {
        "limits": _object(
            {
                "max_total_trials": _WHOLE,
                "max_concurrent_trials": _WHOLE,
                "timeout": _WHOLE,
                "trial_timeout": _or_null(_WHOLE),
            }
        ),
        "early_termination": _or_null(
            {"type": "object", "properties": {"type": _TEXT}, "required": ["type"]}
        ),
        "stop_rules": _or_null(
            _object(
                {
                    "target_value": _or_null({"type": "number"}),
                    "no_improvement_trials": _or_null(_WHOLE),
                }
            )
        ),
        "failure_policy": _or_null(
            _object(
                {
                    "max_consecutive_failures": _or_null(_WHOLE),
                    "retries": _or_null(_WHOLE),
                    "infrastructure_retries": _or_null(_WHOLE),
                }
            )
        ),
        "display_name": _or_null(_TEXT),
        "description": _or_null(_TEXT),
        "tags": _or_null({"type": "object", "additionalProperties": _or_null(_TEXT)}),
    }
)
EDIT["requestBody"]["required"] = True


def read_texts(doc: Any, names: Sequence[str]) -> dict[str, str]:
    """The texts of a small body, without those that are not given.

    Raises InvalidInput with every problem found.
    """
    reading = Reading()
    whole = reading.mapping(doc, "")
    reading.known(whole, "", names)
    checks.storable(whole, reading, names)
    found = {name: reading.text(whole, name, "") for name in names if whole.get(name) is not None}
    checks.texts(found, reading)
    if "name" in found:
        checks.name(found["name"], reading)
    if reading.problems:
        raise InvalidInput(reading.problems)
    return found
