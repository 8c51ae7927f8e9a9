"""Values at the ends of what a float can hold draw a chart that JSON can carry."""

import json
import math

import pytest

from studio.formatting import cell
from sweeps.charts.value_axis import linear_axis
from sweeps.figures.cache import Shared
from sweeps.views.charts import _safe


@pytest.mark.parametrize("ends", [(-1.7e308, 1.7e308), (0.5, 1.7e308), (-1.7e308, -1.0)])
def test_an_axis_of_huge_values_is_finite(ends: tuple[float, float]) -> None:
    axis = linear_axis(*ends)
    low, high = axis["range"]
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low < high
    assert json.loads(json.dumps(axis, allow_nan=False)) == axis


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1+cmd|' /C calc'!A0", "-1+1|cmd", "-2+3+cmd|' /C calc'!A0", "@x", "\n=1"),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", ";=1+1", ";@x"),
    ],
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert _safe(text) == cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "-1,234", "-1.5e-07", "+2", "-.5", "1+1", "", "a-b"])
def test_numbers_and_words_stay(text: str) -> None:
    assert _safe(text) == text


def test_what_is_kept_has_a_bound() -> None:
    shared: Shared[bytes] = Shared(100, 1_000)
    for key in range(50):
        assert len(shared.get(key, lambda: b"x" * 300)) == 300
    assert len(shared._known) == 3
    assert shared.get("huge", lambda: b"x" * 5_000)
    assert sum(map(len, shared._known.values())) == shared._size <= 1_000
