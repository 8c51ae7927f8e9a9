"""Early termination, stop rules, failures and the first trial, as the new-sweep form shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweeps.domain.job import EarlyTermination, FailurePolicy, LoggedModels, StopRules
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space import Scalar
from sweeps.domain.termination.registry import describe, get_policy
from sweeps.forms.checked import Checked, kept_of
from sweeps.forms.draft import Draft
from sweeps.forms.first import allowed, fits
from sweeps.forms.rows import CONSTANT, Row, children
from sweeps.forms.rules import AMOUNT, FIELDS
from sweeps.forms.values import format_value, parse_value, parse_values
from sweeps.spec.early import early_termination
from sweeps.spec.keys import Reading
from sweeps.views.new_sweep_code import facts_of

POLICY_NAMES = {
    "": "None",
    "bandit": "Bandit",
    "median_stopping": "Median stopping",
    "truncation_selection": "Truncation",
    "successive_halving": "Successive halving",
}
# What Azure ML advises, and what its documents say of the others.
ADVICE = {
    "": "Every trial runs to its end. Where a script logs its metric while it trains, Azure ML's "
    "cautious advice is median stopping at every report from the fifth on: 25 to 35 % of the time "
    "saved without loss, as measured there.",
    "bandit": "A smaller slack saves more time and risks more.",
    "median_stopping": "The cautious choice. Checked at every report from the fifth on it saves 25 "
    "to 35 % of the time without loss, as Azure ML measured.",
    "truncation_selection": "A larger share saves more time and risks more.",
    "successive_halving": "Known as ASHA. It saves most, and risks most where trials that start "
    "slowly end well: then put the first rung later. Azure ML does not know it.",
}


# Whose logged models are kept: as the form offers it, and as it is told afterwards.
MODEL_NAMES = {
    LoggedModels.ALL: "All",
    LoggedModels.BEST: "The best trial’s",
    LoggedModels.NONE: "None",
}
MODEL_WORDS = {
    LoggedModels.ALL: "all kept",
    LoggedModels.BEST: "only the best trial’s and registered ones kept",
    LoggedModels.NONE: "only registered ones kept",
}


@dataclass(frozen=True, slots=True)
class PolicyField:
    """One field of a policy; `optional` ones say in `help` what an empty one means."""

    name: str
    label: str
    unit: str = ""
    help: str = ""


_FIELDS = {
    "slack": PolicyField("slack", "Slack"),
    "truncation_percentage": PolicyField("truncation_percentage", "Stop the worst", "%"),
    "evaluation_interval": PolicyField("evaluation_interval", "Check every", "reports"),
    "delay_evaluation": PolicyField("delay_evaluation", "Not before", "reports"),
    "min_reports": PolicyField("min_reports", "First rung at", "reports"),
    "reduction_factor": PolicyField(
        "reduction_factor", "Reduction factor", "", "of so many trials one goes on"
    ),
}


def early_context(draft: Draft, result: Checked) -> dict[str, Any]:
    """What the section on early termination shows."""
    kind = draft["early_type"]
    shown = FIELDS.get(kind, ())
    fields = [_FIELDS[name] for name in shown if name != "slack_as"]
    if draft["slack_as"] != AMOUNT:
        fields = [replace(one, unit="%") if one.name == "slack" else one for one in fields]
    every = dict.fromkeys(name for names in FIELDS.values() for name in names)
    return {
        "policies": POLICY_NAMES.items(),
        "policy_fields": fields,
        "has_slack": "slack" in shown,
        "policy_hidden": [(name, draft[name]) for name in every if name not in shown],
        "policy_words": _explained(early_of(result), draft),
        "policy_advice": ADVICE.get(kind, ""),
        "model_names": [(one.value, label) for one, label in MODEL_NAMES.items()],
    }


def early_of(result: Checked) -> EarlyTermination | None:
    """The policy as far as it can be read, whatever else is wrong with the draft."""
    return early_termination(result.doc.get("early_termination"), Reading())


def _explained(early: EarlyTermination | None, draft: Draft) -> str:
    if early is None:
        return ""
    goal = Goal.MAXIMIZE if draft["goal"] == Goal.MAXIMIZE else Goal.MINIMIZE
    objective = Objective(draft["primary_metric"].strip() or "primary metric", goal)
    return get_policy(early.type).explain(early.options, objective)


# --- The first trial ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirstField:
    """One parameter of the point to try first; `options` are the values of a choice."""

    key: str
    name: str
    text: str
    condition: str
    options: tuple[str, ...]
    messages: Sequence[str]
    allowed: str = ""


def with_first(draft: Draft) -> Draft:
    """The draft with the script's defaults where a first trial is wanted and nothing was typed."""
    if not draft["try_first"]:
        return draft
    return replace(draft, first={**defaults_of(draft), **draft.first})


def defaults_of(draft: Draft) -> dict[str, str]:
    """The script's own defaults that the search space has room for, by row key."""
    options = facts_of(draft["code"], draft["entry"]).options if draft["code"] else ()
    known = {option.name: option.default for option in options if option.default is not None}
    found = {}
    for row in draft.rows:
        default = known.get(row.name.strip())
        if default is not None and row.type != CONSTANT and fits(row, _text(default, row)):
            found[row.key] = _text(default, row)
    return found


def _text(value: Scalar, row: Row) -> str:
    return format_value(value) if row.type == "choice" else repr(value)


def first_context(draft: Draft, by_field: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the search space shows of the point to try first."""
    defaults = defaults_of(draft)
    names = {row.key: row.name.strip() for row in draft.rows}
    more = kept_of(draft).get("first_trials", [])
    warm = kept_of(draft).get("warm_start", [])
    active = point_fields(draft, by_field) if draft["try_first"] else []
    shown = {one.key for one in active}
    return {
        "first_fields": active,
        "first_hidden": [pair for pair in draft.first.items() if pair[0] not in shown],
        "first_defaults": ", ".join(f"{names[key]} {text}" for key, text in defaults.items()),
        "first_more": len(more) if isinstance(more, list) else 0,
        "warm_count": len(warm) if isinstance(warm, list) else 0,
    }


def point_fields(draft: Draft, by_field: Mapping[str, Sequence[str]]) -> list[FirstField]:
    """Fields for a point of the search space; those of a nested choice once it is taken."""
    return _active(children(draft.rows, ""), draft, "", by_field)


def _active(
    level: Sequence[Row], draft: Draft, condition: str, by_field: Mapping[str, Sequence[str]]
) -> list[FirstField]:
    """Fields of these rows, and of those that hang on the values they have."""
    found: list[FirstField] = []
    for row in level:
        if row.is_blank or row.type == CONSTANT:
            continue
        text = draft.first.get(row.key, "")
        values = parse_values(row.get("values")) if row.type == "choice" else []
        options = tuple(format_value(value) for value in values)
        messages = by_field.get(f"first.{row.key}", [])
        found.append(
            FirstField(row.key, row.name.strip(), text, condition, options, messages, allowed(row))
        )
        if options and text.strip():
            taken = format_value(parse_value(text.strip()))
            inner = children(draft.rows, row.key, taken)
            found += _active(inner, draft, f"{row.name.strip()} is {taken}", by_field)
    return found


# --- Summary ------------------------------------------------------------------------------------


def rule_lines(draft: Draft, result: Checked) -> list[tuple[str, str]]:
    """What stops trials and the sweep before their time, in words; defaults are not said."""
    early = early_of(result)
    lines = [("Early termination", describe(early) if draft["early_type"] else "none")]
    if draft["early_type"] and early is None:
        lines = [("Early termination", "–")]
    job = result.job
    if job is None:
        return lines
    if job.first_trials:
        count = len(job.first_trials)
        lines.append(("Tried first", "1 point of yours" if count == 1 else f"{count:,} points"))
    if job.stop_rules != StopRules():
        lines.append(("Ends when", stop_words(job.stop_rules)))
    lines.append(("Failures", failure_words(job.failure_policy)))
    if job.logged_models is not LoggedModels.ALL:
        lines.append(("Logged models", MODEL_WORDS[job.logged_models]))
    if not job.preload:
        lines.append(("Each trial starts", "in a fresh interpreter"))
    return lines


def stop_words(rules: StopRules) -> str:
    """ "the best value reaches 0.1, or 20 trials bring no better one"."""
    parts = []
    if rules.target_value is not None:
        parts.append(f"the best value reaches {rules.target_value:.6g}")
    if (count := rules.no_improvement_trials) is not None:
        parts.append(
            "a trial brings no better value"
            if count == 1
            else f"{count:,} trials in a row bring no better value"
        )
    return ", or ".join(parts)


def failure_words(policy: FailurePolicy) -> str:
    """ "pause after 5 in a row, run again once"."""
    count, again = policy.max_consecutive_failures, policy.retries
    words = "never pause" if not count else f"pause after {count:,} in a row"
    if again:
        words += f", run again {'once' if again == 1 else f'{again} times'}"
    return words
