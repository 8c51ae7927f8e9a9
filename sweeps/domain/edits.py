"""Edits of a sweep: which fields there are, and how an edit reads on charts and in lists."""

from collections.abc import Mapping
from typing import Any

from sweeps.domain.durations import format_duration
from sweeps.domain.job import FailurePolicy, StopRules
from sweeps.domain.termination import registry

LIMITS = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
RULES = ("early_termination", "stop_rules", "failure_policy")
TEXTS = ("display_name", "description", "tags")
FIELDS = (*LIMITS, *RULES, *TEXTS)

_LABELS = {
    "max_total_trials": "max trials",
    "max_concurrent_trials": "at once",
    "timeout": "timeout",
    "trial_timeout": "trial timeout",
    "early_termination": "early termination",
    "stop_rules": "stop rules",
    "failure_policy": "failures",
}


def describe(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """One line: "max trials 60 → 80; timeout 1h → 2h; description edited"."""
    parts = []
    for name in FIELDS:
        if name in changes:
            before, after = changes[name]
            if name in TEXTS:
                parts.append(f"{name.replace('_', ' ')} edited")
            else:
                parts.append(f"{_LABELS[name]} {_words(name, before)} → {_words(name, after)}")
    return "; ".join(parts)


def _words(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name.endswith("timeout"):
        return format_duration(value)
    if name == "early_termination":
        return registry.describe(value)
    if isinstance(value, StopRules):
        return _rules(value)
    if isinstance(value, FailurePolicy):
        pause = value.max_consecutive_failures
        return (
            f"{f'pause after {pause}' if pause else 'never pause'}, "
            f"{value.retries} retries, {value.infrastructure_retries} of lost ones"
        )
    return f"{value:,}"


def _rules(rules: StopRules) -> str:
    parts = []
    if rules.target_value is not None:
        parts.append(f"at {rules.target_value:g}")
    if rules.no_improvement_trials is not None:
        parts.append(f"after {rules.no_improvement_trials} without a better one")
    return " or ".join(parts) or "none"
