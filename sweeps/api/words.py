"""How the API writes numbers, moments and states, in every shape."""

import math
from datetime import UTC, datetime
from typing import Annotated

from ninja import Field

from sweeps.domain.objective import Goal
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.models import EnvironmentBuild

Number = float | str | None
_LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def number(value: float | None) -> Number:
    """JSON has no NaN: non-finite numbers are the strings "NaN", "Infinity", "-Infinity"."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def moment(timestamp_ms: int) -> datetime:
    """A client's clock; one that is far off stands at the end of time as Python knows it."""
    seconds = min(max(timestamp_ms / 1000, 0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC)


SweepState = Annotated[str, Field(json_schema_extra={"enum": [str(s) for s in SweepStatus]})]
TrialState = Annotated[str, Field(json_schema_extra={"enum": [str(s) for s in TrialStatus]})]
BuildState = Annotated[str, Field(json_schema_extra={"enum": list(EnvironmentBuild.STATES)})]
GoalWord = Annotated[str, Field(json_schema_extra={"enum": [str(g) for g in Goal]})]
