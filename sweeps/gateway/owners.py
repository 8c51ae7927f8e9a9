"""Whose a run, a logged model or an experiment is, as the tracking server tells it.

What is remembered never changes once it exists (no route renames an experiment or moves a run);
what is missing is asked for again each time. A run's parent can be changed by members only.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sweeps.gateway.routes import V2
from sweeps.gateway.upstream import look_up

PARENT_RUN_ID = "mlflow.parentRunId"
_REMEMBERED = 20_000
# Deeper nesting than anyone's; a circle of parents ends here.
_DEPTH = 20
# What the tracking server calls things; anything else could be the address of another route.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}")


class Unknown(LookupError):
    """The tracking server has no such thing."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The experiment a run is in, and the run it is nested under ("" for none)."""

    experiment_id: str
    parent: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The experiment a logged model is in, and the run that made it ("" for none)."""

    experiment_id: str
    source_run: str


@lru_cache(_REMEMBERED)
def run(run_id: str) -> RunFacts:
    """Raises Unknown, TrackingUnavailable."""
    found = _found("run", run_id, V2 + "runs/get", {"run_id": run_id})
    tags = {tag["key"]: tag.get("value", "") for tag in found["data"].get("tags", ())}
    return RunFacts(found["info"]["experiment_id"], tags.get(PARENT_RUN_ID, ""))


@lru_cache(_REMEMBERED)
def model(model_id: str) -> ModelFacts:
    """Raises Unknown, TrackingUnavailable."""
    info = _found("model", model_id, V2 + f"logged-models/{model_id}", {})["info"]
    return ModelFacts(info["experiment_id"], info.get("source_run_id", ""))


@lru_cache(_REMEMBERED)
def experiment_name(experiment_id: str) -> str:
    """Raises Unknown, TrackingUnavailable."""
    asked = {"experiment_id": experiment_id}
    return str(_found("experiment", experiment_id, V2 + "experiments/get", asked)["name"])


def _found(what: str, name: str, path: str, query: dict[str, str]) -> dict[str, Any]:
    answer = look_up(path, query) if _ID.fullmatch(name) else None
    found = answer.get(what) if answer else None
    if not isinstance(found, dict):
        raise Unknown(name)
    return found


def is_under(run_id: str, ancestor: str) -> bool:
    """True if the run is `ancestor` or nested below it.

    Raises Unknown, TrackingUnavailable.
    """
    for _ in range(_DEPTH):
        if run_id == ancestor:
            return True
        run_id = run(run_id).parent
        if not run_id:
            return False
    return False


def forget() -> None:
    """Remember nothing: the tracking server behind us is another one."""
    for remembered in (run, model, experiment_name):
        remembered.cache_clear()
