"""What MLflow's runs tell of the repository that their code comes from."""

from collections.abc import Mapping
from typing import Any

from sweeps.stores.git import without_credentials
from sweeps.tracking import tags

# By tag: the properties in which azure-ai-ml sends it with a job, the first that is there.
_PROPERTIES = {
    tags.SOURCE_GIT_COMMIT: ("mlflow.source.git.commit", "azureml.git.commit"),
    tags.SOURCE_GIT_BRANCH: ("mlflow.source.git.branch", "azureml.git.branch"),
    tags.SOURCE_GIT_REMOTE: ("mlflow.source.git.repoURL", "azureml.git.repository_uri"),
    tags.SOURCE_GIT_DIRTY: ("azureml.git.dirty",),
}


def git_tags(git: Mapping[str, Any], properties: Mapping[str, str]) -> dict[str, str]:
    """Tags of a sweep's code: as its snapshot has it (`Sweep.git`), else as its job says."""
    found = _of_snapshot(git) if git else _of_job(properties)
    return {name: str(value)[:5000] for name, value in found.items() if value}


def _of_snapshot(git: Mapping[str, Any]) -> dict[str, Any]:
    return {
        tags.SOURCE_GIT_COMMIT: git["commit"],
        tags.SOURCE_GIT_BRANCH: git["branch"],
        tags.SOURCE_GIT_REMOTE: git["remote"],
        tags.SOURCE_GIT_DIRTY: str(bool(git["changed"] or git["untracked"])).lower(),
    }


def _of_job(properties: Mapping[str, str]) -> dict[str, Any]:
    found = {
        tag: next((str(properties[name]) for name in names if properties.get(name)), "")
        for tag, names in _PROPERTIES.items()
    }
    found[tags.SOURCE_GIT_REMOTE] = without_credentials(found[tags.SOURCE_GIT_REMOTE])
    found[tags.SOURCE_GIT_DIRTY] = found[tags.SOURCE_GIT_DIRTY].lower()
    return found
