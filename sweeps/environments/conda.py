"""Conda environment files, as far as they can be had without conda: Python and what pip brings.

Source: "Managing environments" of conda's documentation, and its package match specification.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import cut, listed, shown
from sweeps.environments.requirements import Read, Requirements, nothing, read_items

_KEYS = ("name", "channels", "dependencies", "variables", "prefix")
# Packages of conda's that are the same project under this name on PyPI.
_SAME = {
    "accelerate", "aiohttp", "beautifulsoup4", "boto3", "bokeh", "catboost", "click",
    "cloudpickle", "cython", "dask", "datasets", "fastai", "gensim", "h5py", "hyperopt",
    "imbalanced-learn", "ipykernel", "ipython", "jinja2", "joblib", "jsonschema", "jupyter",
    "keras", "lightgbm", "mlflow", "mlflow-skinny", "networkx", "nltk", "notebook", "numba",
    "numpy", "openpyxl", "optuna", "packaging", "pandas", "pillow", "plotly", "psutil",
    "pyarrow", "pydantic", "pytest", "python-dateutil", "pytorch-lightning", "pytz", "pyyaml",
    "regex", "requests", "scikit-image", "scikit-learn", "scipy", "seaborn", "sentencepiece",
    "shap", "six", "spacy", "sqlalchemy", "statsmodels", "sympy", "tensorboard", "tensorflow",
    "tokenizers", "torchvision", "tqdm", "transformers", "xgboost",
}  # fmt: skip
_RENAMED = {"matplotlib-base": "matplotlib", "pytorch": "torch", "py-xgboost": "xgboost"}
_SAME |= {"matplotlib"}
# So many packages a note names: it is kept with every sweep, and shown.
_NAMED = 20
# The tools that install, not what a script imports.
_TOOLS = {"pip", "setuptools", "wheel"}
_SPEC = re.compile(r"(?:[\w/-]+::)?([A-Za-z0-9_.-]+)\s*(.*)")


@dataclass(frozen=True, slots=True)
class CondaFile:
    """What a conda file asks for: Python versions as in PEP 440, requirements, and notes."""

    python: str
    requirements: Requirements
    notes: tuple[str, ...] = ()


def read_conda(doc: Any, where: str, read: Read = nothing) -> CondaFile:
    """Read a conda file's document; files that its pip section includes are got by `read`.

    Raises InvalidInput with every problem found.
    """
    if not isinstance(doc, Mapping):
        raise InvalidInput.one(where, f"Must be a conda file, but got {shown(doc)}.")
    problems = [
        Problem(f"{where}.{key}", f"Unknown key; allowed are {', '.join(_KEYS)}.")
        for key in doc
        if key not in _KEYS
    ]
    asked = doc.get("dependencies") or []
    if not isinstance(asked, Sequence) or isinstance(asked, str):
        text = f"Must be a list of packages, but got {shown(asked)}."
        raise InvalidInput([*problems, Problem(f"{where}.dependencies", text)])
    conda, pip = _split(asked, f"{where}.dependencies", problems)
    packages = _Packages(conda, problems)
    try:
        requirements = read_items([*packages.taken, *pip], read)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return CondaFile(packages.python, requirements, tuple(_notes(doc, packages)))


Item = tuple[str, str]


def _split(
    asked: Sequence[Any], where: str, problems: list[Problem]
) -> tuple[list[Item], list[Item]]:
    """What conda and what pip is to install, with the place of each."""
    conda: list[Item] = []
    pip: list[Item] = []
    for index, item in enumerate(asked):
        place = f"{where}[{index}]"
        if isinstance(item, str):
            conda.append((place, item.strip()))
        elif isinstance(item, Mapping) and set(item) == {"pip"}:
            pip += _texts(item["pip"], f"{place}.pip", problems)
        else:
            text = f"Must be a package or a list under pip, but got {shown(item)}."
            problems.append(Problem(place, text))
    return conda, pip


def _texts(items: Any, where: str, problems: list[Problem]) -> Iterator[Item]:
    for index, item in enumerate(items if isinstance(items, list | tuple) else [items]):
        if isinstance(item, str):
            yield f"{where}[{index}]", item
        elif item is not None:
            text = f"Must be a requirement, but got {shown(item)}."
            problems.append(Problem(f"{where}[{index}]", text))


class _Packages:
    """What was asked of conda: `taken` from PyPI, `left` out, and the versions of Python."""

    def __init__(self, asked: Sequence[Item], problems: list[Problem]) -> None:
        self.python = ""
        self.taken: list[Item] = []
        self.left: list[str] = []
        for where, text in asked:
            found = _SPEC.fullmatch(text)
            version = _version(found[2]) if found else None
            if found is None or version is None:
                problems.append(Problem(where, f"{shown(cut(text, 80))} names no package."))
                continue
            self._take(found[1].lower(), version, where, text)

    def _take(self, name: str, version: str, where: str, text: str) -> None:
        if name == "python":
            self.python = version
        elif name in _SAME or name in _RENAMED:
            self.taken.append((where, f"{_RENAMED.get(name, name)}{version}"))
        elif name not in _TOOLS:
            self.left.append(text)


def _version(text: str) -> str | None:
    """Conda's version as PEP 440 says it, "" for any, None for what is none.

    `=1.2` means 1.2 and what begins with 1.2.; a build after a second = is conda's own.
    """
    text = text.strip().replace(" ", "")
    if not text or text == "*":
        return ""
    if text[0].isdigit():
        text = f"={text}"
    if text.startswith("=") and not text.startswith("=="):
        number, *build = text[1:].split("=")
        text = f"=={number}" if build or number.endswith("*") else f"=={number}.*"
    elif text.startswith("=="):
        text = "==" + text[2:].split("=")[0]
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return None


def _notes(doc: Mapping[str, Any], packages: _Packages) -> Iterator[str]:
    if packages.taken:
        names = listed((line for _, line in packages.taken), _NAMED)
        yield f"Conda is not used: {names} of the conda file come from PyPI instead."
    if packages.left:
        names = listed((cut(name, 60) for name in packages.left), _NAMED)
        yield (
            f"Conda is not used: {names} of the conda file are left out; if they are on PyPI, "
            "name them under pip."
        )
    if doc.get("variables"):
        yield "The conda file's variables are ignored: set environment_variables instead."
