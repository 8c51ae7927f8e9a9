"""MLflow's model registry, by REST. Each call may be repeated: what is there already stays."""

from collections.abc import Mapping
from dataclasses import dataclass

from sweeps.tracking.client import Tracking, TrackingRejected

_EXISTS = "RESOURCE_ALREADY_EXISTS"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be: `mark` names the tag, one of `tags`, by which it is found again."""

    name: str
    source: str
    run_id: str
    model_id: str
    description: str
    tags: Mapping[str, str]
    mark: str


def register(client: Tracking, new: NewVersion, alias: str) -> str:
    """The number of the version, made unless it is there; `alias` ("" for none) points to it.

    Raises TrackingUnavailable, TrackingRejected.
    """
    version = _found(client, new) or _created(client, new)
    if alias:
        body = {"name": new.name, "alias": alias, "version": version}
        client.ask("POST", "registered-models/alias", body=body)
    return version


def _found(client: Tracking, new: NewVersion) -> str:
    """What an earlier try made that did not live to tell."""
    query = {"filter": f"run_id='{new.run_id}'", "max_results": "1000"}
    answer = client.ask("GET", "model-versions/search", query=query)
    for version in answer.get("model_versions", []):
        tags = {tag["key"]: tag.get("value", "") for tag in version.get("tags", [])}
        if version["name"] == new.name and tags.get(new.mark) == new.tags[new.mark]:
            return str(version["version"])
    return ""


def _created(client: Tracking, new: NewVersion) -> str:
    try:
        client.ask("POST", "registered-models/create", body={"name": new.name})
    except TrackingRejected as refusal:
        if refusal.code != _EXISTS:
            raise
    body = {
        "name": new.name,
        "source": new.source,
        "run_id": new.run_id,
        "description": new.description,
        "tags": [{"key": key, "value": value} for key, value in new.tags.items()],
    } | ({"model_id": new.model_id} if new.model_id else {})
    answer = client.ask("POST", "model-versions/create", body=body)
    return str(answer["model_version"]["version"])
