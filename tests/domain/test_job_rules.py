"""Stop rules and the failure policy refuse numbers out of range, each at its field."""

import math

import pytest

from sweeps.domain.job import FailurePolicy, StopRules
from sweeps.domain.problems import InvalidInput


def fields(kind: type, **numbers: float) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        kind(**numbers)
    return [problem.field for problem in caught.value.problems]


def test_the_lowest_and_highest_numbers_are_taken() -> None:
    assert StopRules(0.0, 1).no_improvement_trials == 1
    assert StopRules(-1e300, 100_000).target_value == -1e300
    assert FailurePolicy(0, 0, 0).retries == 0
    assert FailurePolicy(100_000, 10, 10).infrastructure_retries == 10


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (StopRules, "target_value", math.nan),
        (StopRules, "target_value", math.inf),
        (StopRules, "no_improvement_trials", 0),
        (StopRules, "no_improvement_trials", 100_001),
        (FailurePolicy, "max_consecutive_failures", -1),
        (FailurePolicy, "max_consecutive_failures", 100_001),
        (FailurePolicy, "retries", -1),
        (FailurePolicy, "retries", 11),
        (FailurePolicy, "infrastructure_retries", -1),
        (FailurePolicy, "infrastructure_retries", 11),
    ],
)
def test_one_beyond_is_refused(kind: type, field: str, value: float) -> None:
    assert fields(kind, **{field: value}) == [field]


def test_every_field_out_of_range_is_told() -> None:
    found = fields(FailurePolicy, max_consecutive_failures=-1, retries=-1)
    assert found == ["max_consecutive_failures", "retries"]
