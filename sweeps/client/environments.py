"""Inline environments in azure-ai-ml's words; the studio takes them as plain mappings."""

from typing import Any


def Environment(  # noqa: N802 - a class in azure-ai-ml
    *, image: str | None = None, conda_file: Any = None, build: Any = None, **more: Any
) -> dict[str, Any]:
    """An environment described in the job: an image, packages, or a folder to build from."""
    said = {"image": image, "conda_file": conda_file, "build": build, **more}
    return {name: value for name, value in said.items() if value is not None}


def BuildContext(  # noqa: N802 - a class in azure-ai-ml
    *, path: str | None = None, dockerfile_path: str | None = None
) -> dict[str, Any]:
    """A folder with a Dockerfile."""
    said = {"path": path, "dockerfile_path": dockerfile_path}
    return {name: value for name, value in said.items() if value is not None}
