"""MLflow's model folders: what their file MLmodel says.

Source: https://mlflow.org/docs/latest/ml/model/#storage-format
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import cut
from sweeps.spec.yaml_text import load

FILE = "MLmodel"
_MOST_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Column:
    """One column or tensor of a signature: its name ("" where it has none) and type, as text."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Flavours by name with the version of their library ("" where it is not said), and inputs
    and outputs of the signature."""

    flavors: Mapping[str, str]
    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    mlflow_version: str = ""
    python_version: str = ""

    @property
    def loader(self) -> str:
        """The module of mlflow that loads it: pyfunc, which all can, where there is one."""
        if "python_function" in self.flavors or not self.flavors:
            return "pyfunc"
        first = next(iter(self.flavors))
        return first if first.isidentifier() else "pyfunc"


def read_mlmodel(text: str) -> ModelFacts | None:
    """What a model's file says; None for one that cannot be read as such."""
    try:
        document = load(text).document
    except InvalidInput:
        return None
    if not isinstance(document, Mapping) or not isinstance(document.get("flavors"), Mapping):
        return None
    flavors = document["flavors"]
    signature = document.get("signature")
    signature = signature if isinstance(signature, Mapping) else {}
    python = _mapping(flavors.get("python_function")).get("python_version")
    return ModelFacts(
        flavors={cut(str(name), 60): _version(name, flavors[name]) for name in [*flavors][:20]},
        inputs=_columns(signature.get("inputs")),
        outputs=_columns(signature.get("outputs")),
        mlflow_version=_word(document.get("mlflow_version")),
        python_version=_word(python),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str:
    return cut(str(value), 60) if isinstance(value, str | int | float) else ""


def _version(name: Any, flavor: Any) -> str:
    """For example sklearn_version of sklearn, lgb_version of lightgbm."""
    found = _mapping(flavor)
    for key, value in found.items():
        own = str(key).endswith("_version") and key != "python_version"
        if own or (name == "python_function" and key == "python_version"):
            return _word(value)
    return ""


def _columns(text: Any) -> tuple[Column, ...]:
    try:
        items = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return ()
    found = items if isinstance(items, list) else []
    return tuple(_column(item) for item in found[:_MOST_COLUMNS] if isinstance(item, Mapping))


def _column(item: Mapping[str, Any]) -> Column:
    kind = _word(item.get("type"))
    tensor = item.get("tensor-spec")
    if isinstance(tensor, Mapping):
        kind = cut(f"{tensor.get('dtype')} {tensor.get('shape')}", 60)
    return Column(_word(item.get("name")), kind, item.get("required") is not False)
