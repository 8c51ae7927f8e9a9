"""A job file as a draft of the form, and what the form cannot show of it."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.space_doc import space_to_doc
from sweeps.forms.checked import KEPT, check
from sweeps.forms.draft import INPUT_KINDS, Draft
from sweeps.forms.from_job import from_job
from sweeps.spec.dialects.registry import dialect_of
from sweeps.spec.yaml_text import load

# Keys of a job document that the form, or `kept`, has by itself.
_TOP = (
    "$schema", "type", "name", "display_name", "experiment_name", "description", "tags",
    "properties", "compute", "trial", "inputs", "outputs", "search_space", "sampling_algorithm",
    "objective", "limits", "early_termination", "studio",
)  # fmt: skip
_TRIAL = ("command", "code", "environment", "environment_variables")
# What is no part of what runs, or is told elsewhere.
_APART = ("notes", "code", "compute")


def kept_of_job(job: SweepJob, doc: Mapping[str, Any] | None = None) -> str:
    """What the form does not ask for, of a job and the document it was read from, as JSON."""
    trial = (doc or {}).get("trial")
    kept: dict[str, Any] = {
        "outputs": {name: _said(type=out.type, mode=out.mode) for name, out in job.outputs.items()},
        "properties": dict(job.properties),
        "first_trials": [dict(point) for point in job.first_trials[1:]],
        "warm_start": [{"params": dict(w.params), "value": w.value} for w in job.warm_start],
        "environment": job.environment,
        "code": job.code,
        "inputs": {
            name: said
            for name, value in job.inputs.items()
            if isinstance(value, DataInput) and (said := _input(value))
        },
        "trial": _others(trial, _TRIAL),
        "top": _others(doc, _TOP),
    }
    said = {key: kept[key] for key in KEPT if kept[key]}
    return json.dumps(said) if said else ""


def _said(**parts: str | None) -> dict[str, str]:
    return {name: text for name, text in parts.items() if text}


def _input(value: DataInput) -> dict[str, str]:
    return _said(type=None if value.type in INPUT_KINDS else value.type, mode=value.mode)


def _others(doc: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(doc, Mapping):
        return {}
    return {key: value for key, value in doc.items() if key not in known and value}


def draft_of(job: SweepJob, text: str) -> Draft:
    """The draft of the form for a job that was read from `text`.

    Of a file of another tool the job is all there is: its keys say nothing in a job file.
    """
    found = load(text).document
    doc = None if dialect_of(found) else found
    return from_job(job, name=job.name or "", kept=kept_of_job(job, doc))


def not_shown(job: SweepJob, draft: Draft) -> list[str]:
    """Parts of the job, as the file names them, that the draft does not say as they are."""
    again = check(draft).job
    if again is None:
        return ["this combination of parts"]
    found = []
    for one in fields(SweepJob):
        before, after = getattr(job, one.name), getattr(again, one.name)
        if one.name == "search_space":
            found += _parameters(job, again)
        elif one.name == "description":
            # Written as a block it ends in a line feed, which a field of text has no use for.
            found += [one.name] if before.strip() != after.strip() else []
        elif before != after and one.name not in _APART:
            found.append(one.name)
    return found


def _parameters(job: SweepJob, again: SweepJob) -> list[str]:
    before, after = space_to_doc(job.search_space), space_to_doc(again.search_space)
    return [
        f"search_space.{name}" for name in before if not _is_same(before[name], after.get(name))
    ]


def _is_same(one: Any, other: Any) -> bool:
    """Equal, but for the dust of turning logarithms into real bounds and back."""
    if isinstance(one, float) or isinstance(other, float):
        are_numbers = all(isinstance(value, int | float) for value in (one, other))
        return are_numbers and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return type(one) is type(other) and bool(one == other)
