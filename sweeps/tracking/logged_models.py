"""MLflow's logged models, by REST. Each call may be repeated: what is gone already stays gone."""

import re

from sweeps.tracking.client import Tracking, TrackingRejected

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_EXPERIMENT_ID = re.compile(r"[0-9]{1,20}")
_MISSING = "RESOURCE_DOES_NOT_EXIST"


def is_registered(client: Tracking, model_id: str, run_id: str) -> bool:
    """Whether a version in the registry is of this model, or of its run.

    Raises TrackingUnavailable, TrackingRejected; ValueError for what are no ids of MLflow's.
    """
    _require(_MODEL_ID, model_id)
    filters = [f"source_path LIKE '%{model_id}%'"]
    if run_id:
        filters.append(f"run_id='{_require(_RUN_ID, run_id)}'")
    for text in filters:
        query = {"filter": text, "max_results": "1"}
        if client.ask("GET", "model-versions/search", query=query).get("model_versions"):
            return True
    return False


def delete(client: Tracking, model_id: str, experiment_id: str) -> None:
    """Delete a model, then its files. Its name and values stay in MLflow's database until
    `mlflow gc`.

    Raises TrackingUnavailable, TrackingRejected; ValueError for what are no ids of MLflow's.
    """
    where = f"{_require(_EXPERIMENT_ID, experiment_id)}/models/{_require(_MODEL_ID, model_id)}"
    try:
        client.ask("DELETE", f"logged-models/{model_id}")
    except TrackingRejected as refusal:
        if refusal.code != _MISSING:
            raise
    client.delete_artifacts(f"{where}/artifacts")


def _require(pattern: re.Pattern[str], value: str) -> str:
    """Ids become parts of paths and filters."""
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is no id of MLflow's.")
    return value
