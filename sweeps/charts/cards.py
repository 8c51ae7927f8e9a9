"""Hover cards: the few facts about a trial that appear beside its dot or line."""

from collections.abc import Iterable, Sequence
from typing import Any

from sweeps.charts.marks import MARKS, STATUS_WORDS
from sweeps.charts.text import duration_text, objective_text, param_text
from sweeps.domain.objective import Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.space import flatten

SHOWN_PARAMS = 2


def trial_cards(
    records: Iterable[TrialRecord], objective: Objective, columns: Sequence[str]
) -> dict[str, Any]:
    """By trial number what its hover card says; `columns` lists parameters, weightiest first."""
    return {str(record.number): _card(record, objective, columns) for record in records}


def _card(record: TrialRecord, objective: Objective, columns: Sequence[str]) -> dict[str, Any]:
    params = flatten(record.params)
    shown = [name for name in columns if name in params][:SHOWN_PARAMS]
    rows = [[name, param_text(params[name])] for name in shown]
    if record.objective is not None:
        rows.insert(0, [objective.primary_metric, objective_text(record.objective)])
    rest = len(params) - len(shown)
    facts = [STATUS_WORDS[record.status], duration_text(record.duration_s)]
    return {
        "status": ", ".join(fact for fact in facts if fact),
        "color": MARKS[record.status].color,
        "rows": rows,
        "reason": record.reason,
        "more": f"and {rest} more, click to open" if rest > 0 else "click to open",
    }
