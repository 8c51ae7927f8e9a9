"""The form that edits a sweep: what was typed, what it showed at first, and the edit they make.

Only what the person changed is sent, so that two people who edit different fields do not undo each
other's work; where both changed the same field, the second is told before anything is saved.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.durations import format_duration, parse_duration
from sweeps.domain.job import SweepJob
from sweeps.domain.problems import Problem
from sweeps.domain.wording import shown
from sweeps.forms import rules
from sweeps.forms.draft import TEXTS, Draft
from sweeps.forms.from_job import from_job
from sweeps.forms.reading import read, whole
from sweeps.forms.tags import parse_tags

LIMITS = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
EARLY = ("early_type", *dict.fromkeys(name for names in rules.FIELDS.values() for name in names))
NAMES = ("display_name", "description", "tags")
FIELDS = (*LIMITS, *EARLY, *rules.STOPPING, *rules.FAILING, *NAMES)
WAS = "was-"

# Where problems of a part as a whole, or of a key that the form calls otherwise, stand.
_PLACES = {
    "early_termination": "early_type",
    "type": "early_type",
    "slack_factor": "slack",
    "slack_amount": "slack",
    "stop_rules": "target_value",
    "failure_policy": "max_consecutive_failures",
    "limits": "max_total_trials",
    "": "form",
}


def texts_of(job: SweepJob) -> dict[str, str]:
    """What the fields show of a sweep."""
    draft = from_job(job)
    return {name: draft[name] for name in FIELDS} | {"timeout": format_duration(job.limits.timeout)}


@dataclass(frozen=True, slots=True)
class Edit:
    """The form as it came in: texts typed, and texts that it showed when it was opened."""

    typed: Mapping[str, str]
    was: Mapping[str, str] = field(default_factory=dict)

    @property
    def draft(self) -> Draft:
        """The typed texts, as the parts of the new-sweep form read them."""
        return Draft(texts={**TEXTS, **self.typed})

    def changed(self, name: str) -> bool:
        """True if the person changed the field."""
        return _plain(self.typed[name]) != _plain(self.was[name])

    def any_changed(self, names: tuple[str, ...]) -> bool:
        """True if the person changed one of the fields."""
        return any(self.changed(name) for name in names)


def from_post(data: Mapping[str, str], present: Mapping[str, str]) -> Edit:
    """What came in with a request; a field that is missing was not touched."""
    was = {name: data.get(f"{WAS}{name}", present[name]) for name in FIELDS}
    return Edit({name: data.get(name, was[name]) for name in FIELDS}, was)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


# --- Together with others -----------------------------------------------------------------------


def overtaken(edit: Edit, present: Mapping[str, str]) -> list[Problem]:
    """Fields that somebody else changed since the form was opened, and this person, too."""
    return [
        Problem(names[0], _since(present[names[0]]))
        for names in _TOGETHER
        if edit.any_changed(names)
        and _differ(names, present, edit.was)
        and _differ(names, present, edit.typed)
    ]


def caught_up(edit: Edit, present: Mapping[str, str]) -> Edit:
    """The form with what others changed, shown where the person typed nothing."""
    typed = {
        name: (edit.typed if edit.any_changed(names) else present)[name]
        for names in _TOGETHER
        for name in names
    }
    return Edit(typed, present)


def _since(text: str) -> str:
    to = f" to {shown(text)}" if text else ""
    return f"Somebody else changed this{to} in the meantime. Save again to replace it."


# A policy is one thing; of all others each field is.
_TOGETHER = (EARLY, *((name,) for name in FIELDS if name not in EARLY))


def _differ(names: tuple[str, ...], one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return any(_plain(one[name]) != _plain(other[name]) for name in names)


# --- The edit -----------------------------------------------------------------------------------


def to_doc(edit: Edit, problems: list[Problem]) -> dict[str, Any]:
    """The edit as a document, of changed fields alone; what cannot be read is a problem."""
    draft = edit.draft
    doc: dict[str, Any] = {}
    limits = _limits(edit, problems)
    if limits:
        doc["limits"] = limits
    if edit.any_changed(EARLY):
        doc["early_termination"] = rules.early_doc(draft, problems)
    for part, names, document in (
        ("stop_rules", rules.STOPPING, rules.stop_doc),
        ("failure_policy", rules.FAILING, rules.failure_doc),
    ):
        found = _part(edit, names, document, problems)
        if found:
            doc[part] = found
    doc |= {name: _plain(edit.typed[name]) for name in NAMES[:2] if edit.changed(name)}
    if edit.changed("tags"):
        doc["tags"] = _tags(edit)
    return doc


def _limits(edit: Edit, problems: list[Problem]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name in (name for name in LIMITS if edit.changed(name)):
        before = len(problems)
        value = _limit(edit, name, problems)
        if len(problems) == before:
            found[name] = value
    return found


def _limit(edit: Edit, name: str, problems: list[Problem]) -> int | None:
    if name == "trial_timeout" and not edit.typed[name].strip():
        return None
    if name.endswith("timeout"):
        return read(edit.draft, name, parse_duration, problems)
    return whole(edit.draft, name, problems)


def _part(
    edit: Edit,
    names: tuple[str, ...],
    document: Callable[[Draft, list[Problem]], dict[str, Any]],
    problems: list[Problem],
) -> dict[str, Any]:
    """The changed fields of a part; None takes a value away."""
    found: list[Problem] = []
    values = document(edit.draft, found)
    problems += [problem for problem in found if edit.changed(problem.field)]
    return {name: values.get(name) for name in names if edit.changed(name)}


def _tags(edit: Edit) -> dict[str, str | None]:
    """Tags that were added or changed, and None for each that was taken out."""
    before, after = parse_tags(edit.was["tags"]), parse_tags(edit.typed["tags"])
    gone: dict[str, str | None] = {key: None for key in before if key not in after}
    return gone | {key: value for key, value in after.items() if before.get(key) != value}


# --- What is wrong ------------------------------------------------------------------------------


def by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Messages at the fields of the form, each once."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        messages = found.setdefault(_place(problem.field), [])
        if problem.message not in messages:
            messages.append(problem.message)
    return found


def _place(path: str) -> str:
    """The form field of a path in the edit's document."""
    head, *_ = path.split(".")
    last = path.rsplit(".", 1)[-1]
    name = _PLACES.get(last, last)
    if name in FIELDS:
        return name
    return head if head in FIELDS else _PLACES.get(head, "form")
