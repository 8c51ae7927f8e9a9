"""Whatever a person hands in as a job, as a document and the folder its paths are relative to."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from sweeps.client.errors import ValidationException
from sweeps.client.words import Command, Sweep


@dataclass(frozen=True)
class Draft:
    """A job as a document; `base` is what its local paths are relative to."""

    document: dict[str, Any]
    base: Path


def draft_of(job: Any, **changes: Any) -> Draft:
    """The draft of our job, an `azure.ai.ml` sweep node or SweepJob, a dict, or a YAML path.

    `changes` replace parts at the top, where they are not None. Raises ValidationException for
    anything else.
    """
    found = _draft(job)
    given = {name: value for name, value in changes.items() if value is not None}
    return Draft({**found.document, **given}, found.base)


def _draft(job: Any) -> Draft:
    if isinstance(job, Sweep):
        return Draft(job.document(), Path.cwd())
    if isinstance(job, LoadedJob):
        return Draft(dict(job), job.base)
    if hasattr(job, "_to_job"):
        # A sweep node of azure.ai.ml, which its own client turns into a job in this way too.
        job = job._to_job()
    if hasattr(job, "_to_dict"):
        return Draft(plain(job._to_dict()), Path(getattr(job, "base_path", "") or Path.cwd()))
    if isinstance(job, str | PathLike):
        return _draft(load_job(job))
    if isinstance(job, Mapping):
        return Draft(plain(job), Path.cwd())
    if isinstance(job, Command):
        raise ValidationException("A command alone is no sweep: call .sweep(…) on it.")
    kind = type(job).__name__
    raise ValidationException(f"A job is a sweep, a dict or the path of a job file, not {kind}.")


class LoadedJob(dict[str, Any]):
    """A job file as a dict; its relative paths are relative to the file's folder, `base`."""

    base: Path


def load_job(source: str | PathLike[str]) -> LoadedJob:
    """Read a sweep-job file.

    Raises ValidationException when it cannot be read, or with every line that is no YAML.
    """
    from sweeps.domain.problems import InvalidInput
    from sweeps.spec import yaml_text

    path = Path(source).expanduser()
    try:
        document = yaml_text.load(path.read_text(encoding="utf-8")).document
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationException(f"{path} cannot be read: {error}") from error
    except InvalidInput as error:
        problem = error.problems[0]
        told = {"code": "invalid", "message": f"{path}: {problem.message}", "line": problem.line}
        raise ValidationException("", errors=[told]) from error
    if not isinstance(document, Mapping):
        raise ValidationException(f"{path} is no job file: it is not a mapping.")
    loaded = LoadedJob(document)
    loaded.base = path.resolve().parent
    return loaded


def plain(value: Any) -> Any:
    """Nested mappings and sequences as dicts and lists, our own parts written out."""
    if hasattr(value, "document"):
        return plain(value.document())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, PathLike) else value
