"""The environment of a job as one text of the form, and in words."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sweeps.domain.wording import shown

_REQUIREMENTS = "requirements.txt"
_CONDA_FILES = ("conda.yml", "conda.yaml", "environment.yml", "environment.yaml")
# What a requirements file of the code is to Azure ML: an environment with a pip part.
_FROM_REQUIREMENTS = {"conda_file": {"dependencies": ["python", {"pip": ["-r requirements.txt"]}]}}


def to_text(environment: Any) -> str:
    """A name as it is, all else as JSON; "" for none. `from_text` reads back the very same."""
    if not environment:
        return ""
    is_plain = isinstance(environment, str) and environment[0] not in '{["'
    return environment if is_plain else json.dumps(environment)


def from_text(text: str) -> Any:
    """The environment that a text means, None for none."""
    if text[:1] not in ("{", "[", '"'):
        return text.strip() or None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def named(name: str) -> str:
    """How job files name an environment of the workspace."""
    return f"azureml:{name}@latest"


def from_code(files: Collection[str]) -> list[Any]:
    """The environments that files of the code describe."""
    found: list[Any] = [_FROM_REQUIREMENTS] if _REQUIREMENTS in files else []
    return found + [{"conda_file": name} for name in _CONDA_FILES if name in files]


def in_words(environment: Any) -> str:
    """What people call it; "" for none."""
    if not environment:
        return ""
    if not isinstance(environment, Mapping):
        return str(environment).removeprefix("azureml:").removesuffix("@latest")
    conda = environment.get("conda_file")
    if environment == _FROM_REQUIREMENTS:
        return f"{_REQUIREMENTS} of the code"
    if isinstance(conda, str):
        return f"{conda} of the code"
    name = f" {shown(environment['name'])}" if environment.get("name") else ""
    if conda:
        return f"conda file{name}"
    if environment.get("image"):
        return f"image {shown(environment['image'])}"
    return f"inline environment{name}"
