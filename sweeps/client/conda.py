"""Conda files on the client's disk, written into the job that names them, as azure-ai-ml does."""

import re
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from sweeps.client.errors import ValidationException

FIELD = "trial.environment.conda_file"
_ELSEWHERE = ("studio:", "git+", "http://", "https://")
_REQUIREMENTS = ("-r", "--requirement")

_CONTINUED = re.compile(r"\s*\\\n\s*")


def with_conda(document: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The job with the content of its environment's conda file; its path is relative to `base`.

    `-r FILE` among its pip packages becomes that file's lines, where the file is there, relative
    to the conda file. A conda file in the code is left to the studio. Raises ValidationException
    for one that cannot be read.
    """
    trial = document.get("trial")
    environment = trial.get("environment") if isinstance(trial, Mapping) else None
    conda = environment.get("conda_file") if isinstance(environment, Mapping) else None
    if isinstance(conda, str | PathLike):
        path = base / Path(conda).expanduser()
        if not path.exists() and _is_in_code(trial, str(conda), base):
            return dict(document)
        conda, base = read_conda(path), path.parent
    if not isinstance(conda, Mapping):
        return dict(document)
    assert isinstance(trial, Mapping)
    assert isinstance(environment, Mapping)
    written = {**environment, "conda_file": written_out(conda, base)}
    return {**document, "trial": {**trial, "environment": written}}


def _is_in_code(trial: Any, conda: str, base: Path) -> bool:
    """True if the studio may find it in the code that goes with the job, or is there already."""
    code = trial.get("code")
    if not isinstance(code, str) or not code:
        return False
    if code.startswith(_ELSEWHERE):
        return True
    return (base / Path(code.removeprefix("azureml:")).expanduser() / conda).is_file()


def read_conda(path: Path) -> Mapping[str, Any]:
    """What is in a conda file. Raises ValidationException for one that cannot be read."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValidationException(f"There is no file {path}.", field=FIELD) from None
    except (OSError, UnicodeDecodeError) as error:
        text = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}."
        raise ValidationException(text, field=FIELD) from error
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        place = f"{path}:{at.line + 1}:{at.column + 1}" if at else f"{path}"
        text = f"{place}: This is not YAML: {getattr(error, 'problem', None) or error}."
        raise ValidationException(text, field=FIELD) from error
    if not isinstance(found, Mapping):
        raise ValidationException(f"{path} is no conda file: it is not a mapping.", field=FIELD)
    return found


def written_out(conda: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The same with the lines of files that its pip packages name, relative to `base`."""
    packages = conda.get("dependencies")
    if not isinstance(packages, list):
        return dict(conda)
    return {**conda, "dependencies": [_package(package, base) for package in packages]}


def _package(package: Any, base: Path) -> Any:
    if not isinstance(package, Mapping) or not isinstance(package.get("pip"), list):
        return package
    lines = [line for one in package["pip"] for line in _lines(one, base, ())]
    return {**package, "pip": lines}


def requirements_text(path: Path) -> str:
    """A requirements file, with the lines of those that it includes where they are there.

    Raises ValidationException for one that cannot be read.
    """
    path = path.resolve()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValidationException(f"There is no file {path}.", field="requirements") from None
    except (OSError, UnicodeDecodeError) as error:
        text = f"{path} cannot be read: {error}."
        raise ValidationException(text, field="requirements") from error
    lines = (one for line in text.splitlines() for one in _included(line, path))
    return "\n".join([*lines, ""])


def _included(line: str, path: Path) -> Iterator[str]:
    """A line of the file as it stands, comments too, or those that it includes."""
    said = line.partition(" #")[0]
    if _named(said, path.parent) is None:
        yield line
    else:
        yield from _lines(said, path.parent, (path,))


def _lines(line: Any, base: Path, within: tuple[Path, ...]) -> Iterator[Any]:
    """A line of pip's, or those of the file that it names; `within` are the files it stands in."""
    file = _named(line, base)
    if file is None or not file.is_file() or file in within:
        yield line
        return
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationException(f"{file} cannot be read: {error}.", field=FIELD) from error
    for inner in _CONTINUED.sub(" ", text).splitlines():
        inner = inner.strip()
        if inner and not inner.startswith("#"):
            yield from _lines(inner.partition(" #")[0].rstrip(), file.parent, (*within, file))


def _named(line: Any, base: Path) -> Path | None:
    """The file that a line of the form -r FILE names."""
    if not isinstance(line, str):
        return None
    for option in _REQUIREMENTS:
        rest = line.strip().removeprefix(option)
        if rest != line.strip() and (option == "-r" or rest[:1] in (" ", "=")):
            name = rest.lstrip(" =").strip()
            return (base / name).resolve() if name and "://" not in name else None
    return None
