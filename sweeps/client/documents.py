"""Whatever a person hands in as a job, as a document and the folder its paths are relative to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from sweeps.client.conda import with_conda
from sweeps.client.errors import ValidationException
from sweeps.client.sweep_job import Sweep
from sweeps.client.words import Command


@dataclass(frozen=True)
class Draft:
    """A job as a document; `base` is what its local paths are relative to.

    `file` is where it was read from, "" for nowhere, `positions` where its parts stand there.
    `code` is the folder to hand in with a document that has no key for it.
    """

    document: dict[str, Any]
    base: Path
    file: str = ""
    positions: Mapping[Any, tuple[int, int]] = field(default_factory=dict)
    code: Path | None = None

    def located(self, error: ValidationException) -> ValidationException:
        """The same error with file, line and column of each problem, in their order, where there
        is a file."""
        if not self.file:
            return error
        from sweeps.domain.problems import Problem
        from sweeps.spec import yaml_text

        problems = [Problem(str(e.get("field", "")), "") for e in error.errors]
        places = yaml_text.placed(problems, dict(self.positions))
        errors = [
            {**told, "file": self.file, "line": place.line, "column": place.column}
            for told, place in zip(error.errors, places, strict=True)
        ]
        errors.sort(key=lambda told: (told["line"], told["column"]))
        return ValidationException(error.message, status=error.status, errors=errors)


def draft_of(job: Any, *, code: str | PathLike[str] | None = None, **changes: Any) -> Draft:
    """The draft of our job, an `azure.ai.ml` sweep node or SweepJob, a dict, or a YAML path.

    `changes` replace parts at the top, where they are not None; `code`, relative to where the
    program runs, replaces the folder that it names. A conda file that it names is in it. Raises
    ValidationException for anything else.
    """
    found = _draft(job)
    if code is not None:
        found = _with_code(found, Path(code).expanduser().resolve())
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        document = with_conda({**found.document, **given}, found.base)
    except ValidationException as error:
        raise found.located(error) from error
    return replace(found, document=document)


def _with_code(draft: Draft, folder: Path) -> Draft:
    if not folder.is_dir():
        raise ValidationException(f"There is no folder {folder}.")
    trial = draft.document.get("trial")
    if not isinstance(trial, Mapping):  # a file of another tool
        return replace(draft, code=folder)
    document = {**draft.document, "trial": {**trial, "code": str(folder)}}
    return replace(draft, document=document)


def _draft(job: Any) -> Draft:
    if isinstance(job, Sweep):
        return Draft(plain(job.document()), Path.cwd())
    if isinstance(job, LoadedJob):
        return Draft(dict(job), job.base, job.file, job.positions)
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
    """A job file as a dict; its relative paths are relative to the file's folder, `base`.

    `file` is its name as it was given, `positions` where each of its parts stands in it.
    """

    base: Path
    file: str
    positions: Mapping[Any, tuple[int, int]]


def load_job(source: str | PathLike[str]) -> LoadedJob:
    """Read a sweep-job file.

    Raises ValidationException when it cannot be read, with the line of what is no YAML.
    """
    from sweeps.domain.problems import InvalidInput
    from sweeps.spec import yaml_text

    path = Path(source).expanduser()
    try:
        found = yaml_text.load(yaml_text.decoded(path.read_bytes()))
    except OSError as error:
        raise ValidationException(f"{path} cannot be read: {error.strerror}.") from error
    except InvalidInput as error:
        errors = [_told(problem, path) for problem in error.problems]
        raise ValidationException("", errors=errors) from error
    if not isinstance(found.document, Mapping):
        raise ValidationException(f"{path} is no job file: it is not a mapping.")
    loaded = LoadedJob(found.document)
    loaded.base, loaded.file = path.resolve().parent, str(source)
    loaded.positions = found.positions
    return loaded


def _told(problem: Any, path: Path) -> dict[str, Any]:
    told = {"code": problem.code, "message": problem.message, "file": str(path)}
    return told | ({"line": problem.line, "column": problem.column} if problem.line else {})


def plain(value: Any) -> Any:
    """Nested mappings and sequences as dicts and lists, our own parts written out."""
    if hasattr(value, "document"):
        return plain(value.document())
    if hasattr(value, "_to_dict"):
        return plain(value._to_dict())  # a part from azure.ai.ml
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, PathLike) else value
