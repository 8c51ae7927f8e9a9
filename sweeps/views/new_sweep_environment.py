"""The environment in the new-sweep form: what there is to choose from."""

from dataclasses import dataclass
from typing import Any

from studio.models import Workspace
from sweeps.forms.checked import kept_of
from sweeps.forms.draft import Draft
from sweeps.forms.environment_text import from_code, from_text, in_words, named, to_text
from sweeps.views.new_sweep_code import files_of

COMPUTES = "The compute’s Python"


@dataclass(frozen=True, slots=True)
class Option:
    """One environment to choose; `value` is what the form posts."""

    value: str
    label: str
    is_chosen: bool


def options(workspace: Workspace, draft: Draft) -> list[Option]:
    """None, those of the workspace, those of the code, and what a job file had."""
    labels: list[tuple[Any, str]] = [(None, COMPUTES)]
    labels += [(named(one.name), one.name) for one in workspace.environments.all()]
    labels += [(one, in_words(one)) for one in _of_code(draft)]
    chosen, kept = from_text(draft["environment"]), kept_of(draft).get("environment")
    if kept and not _has(labels, kept):
        labels.append((kept, f"{in_words(kept)}, as in the job file"))
    if not _has(labels, chosen):
        labels.append((chosen, in_words(chosen)))
    return [Option(to_text(one), label, one == chosen) for one, label in labels]


def context_of(workspace: Workspace, draft: Draft) -> dict[str, Any]:
    """What the field needs; `unused` names what the code has while nothing is chosen."""
    unused = [] if draft["environment"] else _of_code(draft)
    name = from_text(draft["environment"])
    return {
        "environments": options(workspace, draft),
        "environment": next(
            (one for one in workspace.environments.all() if named(one.name) == name), None
        ),
        "unused_environment": in_words(unused[0]) if unused else "",
    }


def _of_code(draft: Draft) -> list[Any]:
    return from_code(files_of(draft["code"])) if draft["code"] else []


def _has(labels: list[tuple[Any, str]], environment: Any) -> bool:
    return any(one == environment for one, _ in labels)
