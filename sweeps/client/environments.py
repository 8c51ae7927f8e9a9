"""Environments in azure-ai-ml's words: described in a job, or kept by the studio under a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Any

from sweeps.client.errors import ValidationException


@dataclass(kw_only=True)
class Environment:
    """What trials import: `conda_file` (its content, or a path), an image, a folder to build.

    `requirements`, a file's path or its lines, is a word of ours. In a job it goes along as it is;
    `ml_client.environments.create_or_update` makes it one that jobs name.
    """

    name: str | None = None
    version: str | None = None
    description: str | None = None
    image: str | None = None
    build: Any = None
    conda_file: Any = None
    requirements: str | PathLike[str] | Sequence[str] | None = None
    tags: Mapping[str, str] | None = None
    properties: Mapping[str, str] | None = None
    datastore: str | None = None
    os_type: str | None = None
    inference_config: Any = None

    def given(self) -> dict[str, Any]:
        """What was said of it."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in said.items() if value is not None}

    def document(self) -> dict[str, Any]:
        """As job files write it: requirements as the pip part of a conda file.

        Raises ValidationException when both are given.
        """
        said = self.given()
        asked = said.pop("requirements", None)
        if asked is not None:
            check_one(said)
            lines = [f"-r {asked}"] if isinstance(asked, str | PathLike) else list(asked)
            said["conda_file"] = {"dependencies": [{"pip": lines}]}
        conda = said.get("conda_file")
        return said | ({"conda_file": str(conda)} if isinstance(conda, PathLike) else {})


def check_one(said: Mapping[str, Any]) -> None:
    """Refuse a conda file beside requirements. Raises ValidationException."""
    if said.get("conda_file") is not None:
        text = "Give conda_file or requirements, not both."
        raise ValidationException(text, field="requirements")


def BuildContext(  # noqa: N802 - a class in azure-ai-ml
    *, path: str | None = None, dockerfile_path: str | None = None
) -> dict[str, Any]:
    """A folder with a Dockerfile."""
    said = {"path": path, "dockerfile_path": dockerfile_path}
    return {name: value for name, value in said.items() if value is not None}


@dataclass
class NamedEnvironment:
    """An environment that the studio keeps; `command(environment=…)` takes it as it is.

    `kind` is requirements, conda or python, `source` the file's text or the program's path;
    `build` is None until it was needed, then {"state", "reason", "python", "packages", …}; `notes`
    say what of an Azure environment is not used; `raw` is the whole answer of the REST API.
    """

    name: str
    description: str
    kind: str
    source: str
    build: Mapping[str, Any] | None
    raw: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()
    # Azure's client writes azureml:NAME:VERSION; versions are not kept here.
    version: str = "1"

    @property
    def id(self) -> str:
        """What jobs call it."""
        return f"azureml:{self.name}@latest"

    def document(self) -> str:
        """As job files write it."""
        return self.id


def named(answer: Mapping[str, Any], notes: tuple[str, ...] = ()) -> NamedEnvironment:
    """The environment of an answer."""
    own = ("name", "description", "kind", "source", "build")
    return NamedEnvironment(**{name: answer[name] for name in own}, raw=answer, notes=notes)
