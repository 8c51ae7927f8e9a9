"""Rules of a job as the database keeps them."""

from dataclasses import asdict
from typing import Any

from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules


def early_doc(early: EarlyTermination | None) -> dict[str, Any] | None:
    """A policy as it is stored."""
    return {"type": early.type, "options": dict(early.options)} if early else None


def said(rules: StopRules | FailurePolicy) -> dict[str, Any]:
    """Rules as they are stored: what differs from the defaults."""
    defaults = asdict(type(rules)())
    return {name: value for name, value in asdict(rules).items() if value != defaults[name]}
