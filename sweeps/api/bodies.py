"""What operations are sent: bodies as the schema describes them, small ones read.

Bodies are read by hand, not by ninja, so that every problem is told at once with the path of its
field, and unknown keys are told instead of dropped.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sweeps.domain.computes.kinds import KINDS as COMPUTE_KINDS
from sweeps.domain.marks import MOST_TAGS
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.spec import checks
from sweeps.spec.keys import Reading

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


CLONE = _body({"name": _or_null(_TEXT), "display_name": _or_null(_TEXT)})
RERUN = _body({"signature": _or_null(_TEXT)})
REGISTER = _body(
    {"name": _TEXT, "alias": _TEXT, "description": _TEXT, "model": _TEXT}, required=["name"]
)
POINT = _body({"params": {"type": "object"}}, required=["params"])
MARK = _body(
    {
        "pinned": {"type": "boolean"},
        "tags": _or_null({"type": "array", "items": _TEXT, "maxItems": MOST_TAGS}),
        "note": _or_null(_TEXT),
    }
)
MARK["requestBody"]["required"] = True
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


_FLAG = {"type": "boolean"}
# JSON types by field, as `read_typed` checks them.
WORKSPACE_TYPES: dict[str, type] = {"name": str, "title": str, "description": str}
WORKSPACE_EDIT_TYPES: dict[str, type] = {"title": str, "description": str, "archived": bool}
COMPUTE_TYPES: dict[str, type] = {
    "name": str,
    "kind": str,
    "settings": dict,
    "slots": int,
    "python": str,
    "description": str,
    "environment_variables": dict,
    "is_default": bool,
    "isolated": bool,
    "preload": bool,
    "preload_modules": str,
}
ENVIRONMENT_TYPES: dict[str, type] = {
    "name": str,
    "description": str,
    "kind": str,
    "source": str,
    "conda_file": dict,
}
_ENVIRONMENT = {
    "name": _TEXT,
    "description": _TEXT,
    "kind": {"enum": ["requirements", "conda", "python"]},
    "source": _TEXT | {"description": "A requirements file, a conda file, or a program's path"},
    "conda_file": {
        "type": "object",
        "description": "Azure's word for kind conda: the file's content in place of `source`",
    },
}
_COMPUTE = {
    "name": _TEXT,
    "kind": {"enum": [*COMPUTE_KINDS]} | {"description": "Stays as it was made"},
    "settings": {"type": "object"} | {"description": "What the kind can be told"},
    "slots": {"type": "integer", "minimum": 1, "maximum": 1000},
    "python": _TEXT,
    "description": _TEXT,
    "environment_variables": {"type": "object", "additionalProperties": _TEXT},
    "is_default": _FLAG,
    "isolated": _FLAG
    | {"description": "Trials run as an operating-system user of their workspace"},
    "preload": _FLAG | {"description": "Trials start from a process that has their imports loaded"},
    "preload_modules": _TEXT | {"description": "Which; empty: those that the script imports"},
}
CHANNEL_TYPES: dict[str, type] = {
    "name": str,
    "kind": str,
    "address": str,
    "on_ended": bool,
    "on_broken": bool,
    "on_best": bool,
}
CHANNEL = _body(
    {
        "name": _TEXT,
        "kind": {"enum": ["email", "webhook", "slack"]},
        "address": _TEXT | {"description": "A mail address, or https://…"},
        "on_ended": _FLAG,
        "on_broken": _FLAG,
        "on_best": _FLAG,
    },
    required=["name", "kind", "address"],
)
SECRET = _body({"value": _TEXT | {"writeOnly": True}}, required=["value"])
WORKSPACE = _body({"name": _TEXT, "title": _TEXT, "description": _TEXT}, required=["name"])
WORKSPACE_EDIT = _body({"title": _TEXT, "description": _TEXT, "archived": _FLAG})
COMPUTE = _body(_COMPUTE, required=["name"])
COMPUTE_EDIT = _body(_COMPUTE)
ENVIRONMENT = _body(_ENVIRONMENT, required=["name"])
ENVIRONMENT_EDIT = _body(_ENVIRONMENT)
for _edit in (WORKSPACE_EDIT, COMPUTE_EDIT, ENVIRONMENT_EDIT):
    _edit["requestBody"]["required"] = True
_JSON = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object"}


def read_typed(doc: Any, types: Mapping[str, type], deep: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a small body, each of its type; the forms check what they say.

    Objects hold texts, those named in `deep` anything.

    Raises InvalidInput with every problem found.
    """
    reading = Reading()
    if not isinstance(doc, Mapping):
        raise InvalidInput.one("", f"Send a JSON object, not {shown(doc)}.")
    reading.known(doc, "", tuple(types))
    checks.storable(doc, reading, tuple(types))
    for name, kind in types.items():
        if name in doc and type(doc[name]) is not kind:
            reading.problem(name, f"Must be {_JSON[kind]}, but got {shown(doc[name])}.")
        elif kind is dict and name not in deep:
            for key, value in (doc.get(name) or {}).items():
                if not isinstance(value, str):
                    text = f"Must be a text, but got {shown(value)}."
                    reading.problem(f"{name}.{key}", text)
    if reading.problems:
        raise InvalidInput(reading.problems)
    return dict(doc)


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
