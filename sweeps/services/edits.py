"""Editing a sweep while it runs, and extending one that has ended."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from studio import audit
from sweeps.domain.edits import FIELDS, LIMITS, TEXTS, describe
from sweeps.domain.limits import Limits, values_problem
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.states import SweepStatus
from sweeps.domain.tags import tag_problems
from sweeps.models import Revision, Sweep
from sweeps.queries.records import early_termination_of, failure_policy_of, stop_rules_of
from sweeps.queries.snapshot import stop_reason
from sweeps.queries.trials import parameter_columns
from sweeps.services.control import revive
from sweeps.services.documents import early_doc, said
from sweeps.services.room import require_in_use
from sweeps.services.state import bump, lock

MAX_TEXT = {"display_name": 255, "description": 100_000}


def merge_into(
    sweep: Sweep,
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    actor: str,
    now: datetime,
) -> Revision | None:
    """`edit_sweep` with the changes that `read` makes of the present values.

    They stay present until the edit is written, so two merges at the same time both hold.
    """
    with transaction.atomic():
        lock(sweep.pk)
        sweep.refresh_from_db()
        return edit_sweep(sweep, read(current(sweep)), actor=actor, now=now)


def edit_sweep(
    sweep: Sweep, changes: Mapping[str, Any], *, actor: str, now: datetime
) -> Revision | None:
    """Change some of `FIELDS`; the revision that records it, None if nothing differs.

    Values are domain values (an int, an EarlyTermination or None, StopRules, FailurePolicy, text,
    a dict of tags). A higher total brings an ended sweep back. Raises InvalidInput naming each
    field that cannot be so.
    """
    with transaction.atomic():
        lock(sweep.pk)
        sweep.refresh_from_db()
        present = current(sweep)
        differing = {
            name: (present[name], changes[name])
            for name in FIELDS
            if name in changes and changes[name] != present[name]
        }
        if not differing:
            return None
        after = present | {name: pair[1] for name, pair in differing.items()}
        _check(sweep, differing, after)
        _write(sweep, differing)
        if _extends(sweep, differing):
            _bring_back(sweep, actor, now)
        return record_revision(sweep, differing, actor, now)


def current(sweep: Sweep) -> dict[str, Any]:
    """The present value of every field that can be edited."""
    return {
        "max_total_trials": sweep.max_total_trials,
        "max_concurrent_trials": sweep.max_concurrent_trials,
        "timeout": sweep.timeout_s,
        "trial_timeout": sweep.trial_timeout_s,
        "early_termination": early_termination_of(sweep),
        "stop_rules": stop_rules_of(sweep),
        "failure_policy": failure_policy_of(sweep),
        "display_name": sweep.display_name,
        "description": sweep.description,
        "tags": sweep.tags,
    }


def _check(sweep: Sweep, changes: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    Limits(*(after[name] for name in LIMITS))
    problems = [
        Problem(name, f"Has {longest:,} characters at most, but this has {len(after[name]):,}.")
        for name, longest in MAX_TEXT.items()
        if name in changes and len(after[name]) > longest
    ]
    problems += tag_problems(after["tags"]) if "tags" in changes else []
    if "max_total_trials" in changes and after["max_total_trials"] < sweep.planned:
        planned = f"{sweep.planned:,} trials are planned already"
        text = f"Must be at least {sweep.planned:,}: {planned}. Stop the sweep to start no more."
        problems.append(Problem("max_total_trials", text))
    elif "max_total_trials" in changes and after["max_total_trials"] > sweep.max_total_trials:
        many = values_problem(after["max_total_trials"], len(parameter_columns(sweep)))
        problems += [many] if many else []
    is_final = SweepStatus(sweep.status).is_final
    fixed = [name for name in changes if name not in TEXTS]
    if is_final and fixed and not _extends(sweep, changes):
        text = f"The sweep has ended as {sweep.status}: raise the total trials to extend it."
        problems += [Problem(name, text, code="conflict") for name in fixed]
    if problems:
        raise InvalidInput(problems)


def _extends(sweep: Sweep, changes: Mapping[str, Any]) -> bool:
    before, after = changes.get("max_total_trials", (0, 0))
    return SweepStatus(sweep.status).is_final and after > before


def _write(sweep: Sweep, changes: Mapping[str, Any]) -> None:
    columns: dict[str, Any] = {}
    for name, (before, after) in changes.items():
        match name:
            case "max_total_trials" if after > before:
                # A sweep that came back for a single trial may draw further ones again.
                columns |= {name: after, "exhausted": False}
            case "timeout" | "trial_timeout":
                columns[f"{name}_s"] = after
            case "early_termination":
                columns[name] = early_doc(after)
            case "stop_rules" | "failure_policy":
                columns[name] = said(after)
            case _:
                columns[name] = after
    Sweep.objects.filter(pk=sweep.pk).update(**columns, revision=bump(sweep.pk))
    for name, value in columns.items():
        setattr(sweep, name, value)


def _bring_back(sweep: Sweep, actor: str, now: datetime) -> None:
    require_in_use(sweep.workspace_id)
    reason = stop_reason(sweep)
    if reason:
        text = f"{reason} Change or clear that rule too, or the sweep would end again at once."
        raise InvalidInput([Problem("stop_rules", text, code="conflict")])
    if not sweep.run_id:
        text = "The sweep never got a run in MLflow, so it cannot go on; clone it instead."
        raise InvalidInput.conflict(text)
    revive(sweep, actor=actor, now=now, exhausted=False)


def record_revision(
    sweep: Sweep, changes: Mapping[str, tuple[Any, Any]], actor: str, now: datetime
) -> Revision:
    """The row of an edit. Call in the transaction that makes it."""
    plain = {name: (_plain(before), _plain(after)) for name, (before, after) in changes.items()}
    audit.note("changed", "sweep", sweep.name, workspace=sweep.workspace_id, changes=plain)
    return Revision.objects.create(
        sweep=sweep,
        number=sweep.revisions.count() + 1,
        trial_number=sweep.planned,
        changes={name: list(pair) for name, pair in plain.items()},
        text=describe(changes),
        actor=actor,
        at=now,
    )


def _plain(value: Any) -> Any:
    """A field's value as JSON."""
    if hasattr(value, "options"):
        return early_doc(value)
    return said(value) if hasattr(value, "__dataclass_fields__") else value
