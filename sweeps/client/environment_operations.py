"""`ml_client.environments`: what jobs of the workspace call by name."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sweeps.client.conda import read_conda, requirements_text, written_out
from sweeps.client.documents import load_job, plain
from sweeps.client.environments import Environment, NamedEnvironment, check_one, named
from sweeps.client.errors import ResourceNotFoundError, ValidationException
from sweeps.client.transport import Transport
from sweeps.domain.environments import is_anonymous

_UNUSED = ("image", "build", "version", "tags", "properties", "datastore", "inference_config")
_KNOWN = {
    *("name", "description", "conda_file", "requirements", "kind", "source", *_UNUSED),
    *("$schema", "type", "id", "path", "os_type", "creation_context"),
}


class EnvironmentOperations:
    """Environments of the client's workspace. Every call raises StudioError, of the kind that fits.

    Versions are not kept: a name means what was sent last, whatever version or label is asked for.
    """

    def __init__(self, transport: Transport, workspace: Callable[[], str]) -> None:
        self._transport, self._workspace = transport, workspace

    def create_or_update(self, environment: Any) -> NamedEnvironment:
        """Keep an environment under its name: ours, azure-ai-ml's, a dict, or the path of a file.

        Files that it names are read here. Sweeps that were submitted keep what they had.
        """
        body, notes = _body(environment)
        try:
            answer = self._transport.send("PATCH", self._path(body["name"]), json=body)
        except ResourceNotFoundError:
            answer = self._transport.send(
                "POST", self._all, json=body, headers={"Idempotency-Key": uuid.uuid4().hex}
            )
        return named(answer.json(), notes)

    def get(
        self, name: str, version: str | None = None, label: str | None = None
    ) -> NamedEnvironment:
        """The environment of this name. Raises ResourceNotFoundError."""
        return named(self._transport.get(self._path(name)))

    def list(self, name: str | None = None) -> Iterator[NamedEnvironment]:
        """All of them, by name; with `name` that one, where it is there."""
        for item in self._transport.items(self._all):
            if name in (None, item["name"]):
                yield named(item)

    def build(self, name: str) -> NamedEnvironment:
        """Build it before a sweep needs it, or again if that failed; returns at once."""
        return named(self._transport.post(f"{self._path(name)}/build"))

    def delete(self, name: str) -> None:
        """Delete it: jobs cannot name it any more, sweeps that run in it go on."""
        self._transport.send("DELETE", self._path(name))

    def archive(self, name: str, version: str | None = None, label: str | None = None) -> None:
        """Azure's word for `delete`; nothing is kept here that could be restored."""
        self.delete(name)

    @property
    def _all(self) -> str:
        return f"/workspaces/{quote(self._workspace(), safe='')}/environments"

    def _path(self, name: str) -> str:
        return f"{self._all}/{quote(str(name), safe='')}"


def is_environment(thing: Any) -> bool:
    """True for an environment, ours or azure-ai-ml's."""
    is_azures = type(thing).__name__ == "Environment" and hasattr(thing, "_to_dict")
    return isinstance(thing, Environment | NamedEnvironment) or is_azures


@dataclass(frozen=True)
class _Said:
    """An environment as a mapping, and the folder that its paths are relative to."""

    parts: Mapping[str, Any]
    base: Path


def _said(environment: Any) -> _Said:
    if isinstance(environment, Environment):
        return _Said(environment.given(), Path.cwd())
    if isinstance(environment, Mapping):
        return _Said(dict(environment), Path.cwd())
    if isinstance(environment, str | PathLike):
        loaded = load_job(environment)
        return _Said(loaded, loaded.base)
    if hasattr(environment, "_to_dict"):
        # Azure's client has read its conda file already.
        file = getattr(environment, "_conda_file_path", None)
        base = Path(file).parent if file else getattr(environment, "base_path", None)
        return _Said(plain(environment._to_dict()), Path(base or Path.cwd()))
    kind = type(environment).__name__
    text = f"An environment is an Environment, a dict or the path of its file, not {kind}."
    raise ValidationException(text)


def _body(environment: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the studio is sent, and notes on what of it is not used."""
    if isinstance(environment, NamedEnvironment):
        own = ("name", "description", "kind", "source")
        return {name: getattr(environment, name) for name in own}, ()
    said = _said(environment)
    parts = {name: value for name, value in said.parts.items() if value not in (None, {}, "")}
    if unknown := [name for name in parts if name not in _KNOWN]:
        raise ValidationException(f"An environment has no {unknown[0]} here.", field=unknown[0])
    if parts.get("name") is None or is_anonymous(parts["name"]):
        raise ValidationException("Name the environment: jobs call it so.", field="name")
    body = {name: parts[name] for name in ("name", "description") if name in parts}
    return body | _packages(parts, said.base), _notes(parts)


def _packages(parts: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """What it is made of, in the studio's words."""
    asked, conda = parts.get("requirements"), parts.get("conda_file")
    if "source" in parts:  # as the REST API has it
        return {name: parts[name] for name in ("kind", "source") if name in parts}
    if asked is not None:
        check_one(parts)
        return {"kind": "requirements", "source": _requirements(asked, base)}
    if isinstance(conda, str | PathLike):
        path = base / Path(conda).expanduser()
        conda, base = _conda_in(path), path.parent
    if not isinstance(conda, Mapping):
        text = "Give conda_file or requirements: images are not used here."
        raise ValidationException(text, field="conda_file")
    return {"conda_file": written_out(plain(conda), base)}


def _requirements(asked: Any, base: Path) -> str:
    if isinstance(asked, str | PathLike):
        return requirements_text(base / Path(asked).expanduser())
    return "\n".join([*map(str, asked), ""])


def _conda_in(path: Path) -> Mapping[str, Any]:
    try:
        return read_conda(path)
    except ValidationException as error:  # which knows where a job would name it
        raise ValidationException(error.message, field="conda_file") from error


def _notes(parts: Mapping[str, Any]) -> tuple[str, ...]:
    unused = [name for name in _UNUSED if name in parts]
    if not unused:
        return ()
    return (f"Not used here: {', '.join(unused)}. Packages are installed on the studio's machine.",)
