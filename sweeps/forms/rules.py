"""Early termination, stop rules and failure policy in the new-sweep form."""

from collections.abc import Mapping
from typing import Any

from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules, SweepJob
from sweeps.domain.problems import Problem
from sweeps.domain.termination.base import TIMING
from sweeps.domain.wording import shown
from sweeps.forms.draft import Draft
from sweeps.forms.reading import in_percent, number, percent, whole

# What each policy asks for; no policy is "".
FIELDS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "bandit": ("slack", "slack_as", *TIMING),
    "median_stopping": TIMING,
    "truncation_selection": ("truncation_percentage", *TIMING),
    "successive_halving": ("min_reports", "reduction_factor"),
}
OPTIONS = ("truncation_percentage", "min_reports", "reduction_factor")
# What must be said; the others have a default that an empty field means.
_REQUIRED = ("truncation_percentage",)
FACTOR, AMOUNT = "factor", "amount"
STOPPING = ("target_value", "no_improvement_trials")
FAILING = ("max_consecutive_failures", "retries", "infrastructure_retries")


def early_doc(draft: Draft, problems: list[Problem]) -> dict[str, Any] | None:
    """The `early_termination` of a job document; a field that cannot be read is left out."""
    kind = draft["early_type"]
    if not kind:
        return None
    doc: dict[str, Any] = {"type": kind}
    for name in FIELDS.get(kind, ()):
        if name == "slack":
            doc |= _slack(draft, problems)
        elif name != "slack_as" and (draft[name].strip() or name in _REQUIRED):
            _put(doc, name, whole(draft, name, problems), 20 if name in _REQUIRED else None)
    return doc


def _slack(draft: Draft, problems: list[Problem]) -> dict[str, Any]:
    is_amount = draft["slack_as"] == AMOUNT
    found = (number if is_amount else percent)(draft, "slack", problems)
    if found is not None and found <= 0:
        text = f"Must be above 0, but got {shown(draft['slack'].strip())}."
        problems.append(Problem("slack", text))
        found = None
    # A harmless stand-in where there is a problem, so that it is told once.
    return {"slack_amount" if is_amount else "slack_factor": 1.0 if found is None else found}


def _put(doc: dict[str, Any], name: str, found: float | None, stand_in: int | None = None) -> None:
    value = stand_in if found is None else found
    if value is not None:
        doc[name] = value


def stop_doc(draft: Draft, problems: list[Problem]) -> dict[str, Any]:
    """The stop rules that are typed."""
    doc: dict[str, Any] = {}
    if draft["target_value"].strip():
        _put(doc, "target_value", number(draft, "target_value", problems))
    if draft["no_improvement_trials"].strip():
        name = "no_improvement_trials"
        _put(doc, name, whole(draft, name, problems))
    return doc


def failure_doc(draft: Draft, problems: list[Problem]) -> dict[str, Any]:
    """The failure policy; an empty field is its default."""
    doc: dict[str, Any] = {}
    for name in FAILING:
        if draft[name].strip():
            _put(doc, name, whole(draft, name, problems))
    return doc


# --- From a job ---------------------------------------------------------------------------------


def texts_of(job: SweepJob) -> dict[str, str]:
    """What the fields hold to say what a job says."""
    return {
        **_early_texts(job.early_termination),
        **_stop_texts(job.stop_rules),
        **_failure_texts(job.failure_policy),
        "logged_models": job.logged_models.value,
    }


def _early_texts(early: EarlyTermination | None) -> dict[str, str]:
    if early is None:
        return {"early_type": ""}
    options = early.options
    texts = {"early_type": early.type}
    # What the job does not say shows as empty: what a new form starts with would be another policy.
    own = [name for name in FIELDS.get(early.type, ()) if not name.startswith("slack")]
    texts |= {name: str(options.get(name, "")) for name in own}
    if factor := options.get("slack_factor"):
        texts |= {"slack": in_percent(float(factor)), "slack_as": FACTOR}
    elif amount := options.get("slack_amount"):
        texts |= {"slack": repr(amount), "slack_as": AMOUNT}
    return texts


def _stop_texts(rules: StopRules) -> dict[str, str]:
    target, patience = rules.target_value, rules.no_improvement_trials
    return {
        "target_value": "" if target is None else repr(target),
        "no_improvement_trials": "" if patience is None else str(patience),
    }


def _failure_texts(policy: FailurePolicy) -> dict[str, str]:
    return {name: str(getattr(policy, name)) for name in FAILING}
