"""Trials, spaces and curves that the chart tests share."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from sweeps.domain.board import CODES, Board, Column
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import MetricPoint, TrialRecord
from sweeps.domain.space import (
    Branch,
    Choice,
    LogUniform,
    QUniform,
    SearchSpace,
    Uniform,
    flatten,
)
from sweeps.domain.states import TrialStatus

LOSS = Objective("loss", Goal.MINIMIZE)
AUC = Objective("auc", Goal.MAXIMIZE)
GBDT = Branch((("kind", "gbdt"),))
DART = Branch((("kind", "dart"), ("drop", Uniform(0, 1))))
SPACE = SearchSpace(
    (
        ("lr", LogUniform(-6.907755278982137, 0.0)),
        ("leaves", QUniform(2, 10, 1)),
        ("model", Choice((GBDT, DART))),
    )
)
TOKEN = re.compile(
    r"@(best|text|muted|grid|axis|border|surface|sunken|primary(-tint)?|[a-z]+-mark|trial-\d|ramp-[01]\.\d\d)"
)


def trial(
    number: int,
    objective: float | None = None,
    status: TrialStatus = TrialStatus.COMPLETED,
    **params: Any,
) -> TrialRecord:
    return TrialRecord(number, status, params, objective=objective)


def gbdt(number: int, objective: float | None, status=TrialStatus.COMPLETED, lr=0.1, leaves=4):
    return trial(number, objective, status, lr=lr, leaves=leaves, model={"kind": "gbdt"})


def dart(number: int, objective: float | None, status=TrialStatus.COMPLETED, drop=0.5):
    return trial(number, objective, status, lr=0.01, leaves=8, model={"kind": "dart", "drop": drop})


def board(records: Sequence[TrialRecord]) -> Board:
    """The trials as columns."""
    records = sorted(records, key=lambda record: record.number)
    flats = [flatten(record.params) for record in records]
    names = dict.fromkeys(name for flat in flats for name in flat)
    nothing = np.full(len(records), np.nan)
    values = [np.nan if r.objective is None else r.objective for r in records]
    return Board(
        revision=1,
        number=np.array([r.number for r in records], dtype=np.int64),
        status=np.array([CODES[r.status] for r in records], dtype=np.int64),
        objective=np.array(values, dtype=np.float64),
        last=nothing,
        reports=np.zeros(len(records), dtype=np.int64),
        best_report=nothing,
        started=nothing,
        ended=nothing,
        params={name: Column([flat.get(name) for flat in flats]) for name in names},
    )


def points(*values: float, name: str = "loss", every: int = 1) -> list[MetricPoint]:
    return [MetricPoint(name, i + 1, i * every, v, 0) for i, v in enumerate(values)]


def resolved(value: Any, key: str = "") -> Any:
    """A figure as the browser resolves it; raises on a token that no theme has."""
    if (
        isinstance(value, str)
        and key.lower().endswith(("color", "colorscale"))
        and value.startswith("@")
    ):
        assert TOKEN.fullmatch(value), value
        return "#123456"
    if isinstance(value, list):
        return [resolved(item, key) for item in value]
    if isinstance(value, dict):
        return {k: resolved(v, k) for k, v in value.items()}
    return value


def check(figure: dict[str, Any]) -> go.Figure:
    """Plotly's own validation of every attribute."""
    return go.Figure(resolved(figure))


def trace(figure: dict[str, Any], uid: str) -> dict[str, Any]:
    return next(item for item in figure["data"] if item["uid"] == uid)
