"""The `environment` of a trial: Azure's spellings in, and out again."""

from collections.abc import Mapping
from typing import Any

from sweeps.domain.environments import is_anonymous
from sweeps.domain.wording import shown
from sweeps.spec.keys import Reading

WHERE = "trial.environment"
# Azure's schema asks for an environment. Where a job names none, files for Azure get one that there
# is, and files for the studio one that is none anywhere, so that reading drops no real name.
DEFAULT_ENVIRONMENT = "azureml:AzureML-sklearn-1.5@latest"
NO_ENVIRONMENT = "azureml:no-environment@latest"
_KEYS = (
    "$schema", "name", "version", "description", "tags", "properties", "image", "build",
    "conda_file", "os_type", "datastore", "inference_config", "path", "id", "creation_context",
)  # fmt: skip


def environment(value: Any, reading: Reading) -> Any:
    """The environment as written, None where there is none; problems go to `reading`.

    What it means here, the workspace decides when the job is submitted.
    """
    if isinstance(value, Mapping):
        value = _inline(value, reading)
    elif not isinstance(value, str | None):
        text = f"Must be azureml:NAME@latest or an inline environment, but got {shown(value)}."
        reading.problem(WHERE, text)
        return None
    return None if not value or value == NO_ENVIRONMENT else value


def _inline(value: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    reading.known(value, WHERE, _KEYS)
    build = reading.mapping(value.get("build"), f"{WHERE}.build")
    reading.known(build, f"{WHERE}.build", ("path", "dockerfile_path"))
    dumped = is_anonymous(value.get("name"))
    left_out = ("name", "version") if dumped else ()
    return {
        key: item
        for key, item in value.items()
        if key not in left_out and not (dumped and item == {})
    }


def written(value: Any, *, studio: bool = True) -> Any:
    """The environment as Azure's schema takes it: a bare name is none there."""
    if isinstance(value, str) and value and not value.startswith(("azureml:", "file:")):
        return f"azureml:{value}"
    return value or (NO_ENVIRONMENT if studio else DEFAULT_ENVIRONMENT)
