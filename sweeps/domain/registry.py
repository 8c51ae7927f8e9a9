"""Names of registered models and of their aliases, and what a version says of itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown

MAX_NAME, MAX_DESCRIPTION = 100, 5_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?: [A-Za-z0-9_-]+)*")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VERSION_LIKE = re.compile(r"v\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a model is to be registered. Raises InvalidInput naming each field that cannot be."""

    name: str
    alias: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        found = []
        if not self.name:
            found.append(Problem("name", "Write the name that the model is to have."))
        elif len(self.name) > MAX_NAME or not _NAME.fullmatch(self.name):
            text = "Use letters, digits, _ and -, starting with a letter or digit"
            found.append(Problem("name", f"{text}, but not {shown(self.name)}."))
        if self.alias and (problem := _alias_problem(self.alias)):
            found.append(Problem("alias", problem))
        if len(self.description) > MAX_DESCRIPTION or "\0" in self.description:
            text = f"May have {MAX_DESCRIPTION:,} characters at most, and no NUL."
            found.append(Problem("description", text))
        if found:
            raise InvalidInput(found)


def _alias_problem(alias: str) -> str:
    if alias.lower() == "latest" or _VERSION_LIKE.fullmatch(alias):
        return f"MLflow keeps {shown(alias)} for itself; take another word, such as champion."
    if len(alias) > MAX_NAME or not _ALIAS.fullmatch(alias):
        return f"Use letters, digits, _ and -, starting with a letter, but not {shown(alias)}."
    return ""


def full_name(workspace: str, name: str) -> str:
    """As MLflow knows it: with its workspace, and no slash, which MLflow refuses."""
    return f"{workspace}.{name}"


def load_uri(workspace: str, name: str, alias: str, version: str) -> str:
    """The address by which the model is loaded."""
    end = f"@{alias}" if alias else f"/{version}"
    return f"models:/{full_name(workspace, name)}{end}"


def version_tags(
    uid: str, sweep: str, number: int, metric: str, value: float | None, params: Mapping[str, str]
) -> dict[str, str]:
    """What a version says of where it comes from; `uid` finds it again."""
    found = {
        "studio.registration": uid,
        "studio.sweep_name": sweep,
        "studio.trial": str(number),
        "studio.primary_metric": metric,
    }
    if value is not None:
        found["studio.objective"] = repr(value)
    return found | {f"param.{name}"[:250]: text[:5000] for name, text in [*params.items()][:200]}
