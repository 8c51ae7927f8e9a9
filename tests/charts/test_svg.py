"""Static pictures: whole, well-formed, escaped, and small however many trials there are."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from sweeps.charts.metric_curves import TrialCurve, build_curves_info
from sweeps.charts.objective_history import Dot, Edit, build_objective_info
from sweeps.charts.parallel_coordinates import build_parallel_info
from sweeps.charts.svg import color
from sweeps.charts.svg_curves import curves_svg
from sweeps.charts.svg_history import history_svg
from sweeps.charts.svg_parallel import parallel_svg
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import MetricPoint, TrialRecord
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus
from tests.charts.cast import board

HOSTILE = "<script>\"&'</script>"
LOSS = Objective(HOSTILE, Goal.MINIMIZE)
DONE, FAILED = TrialStatus.COMPLETED, TrialStatus.FAILED


def parsed(svg: str) -> ElementTree.Element:
    """The picture as XML: what is not escaped, or no number, does not come this far."""
    assert "nan" not in svg.replace("unfinished", "")
    assert "inf" not in svg
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter("text")]


def history(values: list[float | None], **options: object) -> str:
    dots = [Dot(n, v, DONE if v is not None else FAILED) for n, v in enumerate(values)]
    return history_svg(build_objective_info(dots, LOSS, total=len(dots) + 5, **options))  # type: ignore[arg-type]


def test_the_history_names_the_best_and_all_without_a_value() -> None:
    svg = history([0.5, None, 0.25, 0.4], edits=[Edit(2, "x")])
    assert "#2  0.250000" in texts(svg) or "#2  0.25" in texts(svg)
    assert "no value" in texts(svg)
    assert HOSTILE in texts(svg)
    assert "var(--best)" in svg


def test_the_best_of_the_history_is_named_beside_the_line_that_falls_to_it() -> None:
    svg = history([0.9, 0.8, 0.5, 0.1, *[0.6] * 8])
    [label] = [n for n in parsed(svg).iter("text") if (n.text or "").startswith("#3")]
    [line] = [
        n
        for n in parsed(svg).iter("path")
        if "H" in n.get("d", "")
        and "--best" in n.get("style", "")
        and n.get("d", "").count("V") == 3
    ]
    falls = float(re.findall(r"H([\d.]+)V", line.get("d", ""))[-1])
    assert label.get("text-anchor") == "start"
    assert float(label.get("x", "0")) >= falls + 10


@pytest.mark.parametrize(
    "values",
    [[0.5], [0.0, 0.0], [1e-300, 1e300], [-1e308, 1e308], [1e308], [5e-324, 1.0], [-1.0, 1.0]],
)
def test_any_values_have_a_place(values: list[float | None]) -> None:
    for scale in ("auto", "linear", "log"):
        svg = history(values, scale=scale)
        assert parsed(svg).tag.endswith("svg")
        assert len(svg) > 500


def test_ten_thousand_trials_stay_small() -> None:
    svg = history([math.sin(n) + 2 for n in range(10_000)])
    assert len(svg) < 150_000


def parallel(count: int, names: int = 3) -> str:
    space = {f"p{i}": {"type": "uniform", "min_value": 0, "max_value": 1} for i in range(names)}
    space |= {"c": {"type": "choice", "values": [HOSTILE, "b", 3]}}
    made = [
        TrialRecord(
            number=n,
            status=FAILED if n % 5 == 1 else DONE,
            params={**{f"p{i}": (n * 7 + i) % 10 / 10 for i in range(names)}, "c": HOSTILE},
            draw={},
            objective=None if n % 5 == 1 else 1.0 + n,
        )
        for n in range(count)
    ]
    return parallel_svg(build_parallel_info(board(made), parse_space(space), LOSS))


def test_parallel_coordinates_draw_every_trial_and_the_best_on_top() -> None:
    svg = parallel(40)
    paths = [node.get("style", "") for node in parsed(svg).iter("path")]
    # Above the best line stand texts and the marks of ticks alone, so that no line strikes a text.
    nodes = list(parsed(svg))
    best = max(n for n, node in enumerate(nodes) if "var(--best)" in node.get("style", ""))
    above = [node for node in nodes[best + 1 :] if node.tag == "path"]
    assert all(re.fullmatch(r"M[\d.]+ [\d.]+H[\d.]+", node.get("d", "")) for node in above)
    assert next(n for n, node in enumerate(nodes) if "halo" in node.get("class", "")) > best
    assert sum("--red-mark" in style for style in paths) == 8
    assert sum("color-mix" in style for style in paths) == 31, "all with a value but the best"
    assert {"p0", "p1", "p2", "c", "no value"} <= set(texts(svg))
    assert "none" not in texts(svg), "every parameter has a value"


def test_of_very_many_trials_the_density_lies_below_the_best() -> None:
    svg = parallel(3_000)
    shades = [n for n in parsed(svg).iter("path") if n.get("fill") == "none"]
    assert 1 < len(shades) <= 6 * 6
    assert len(svg) < 400_000
    assert "var(--best)" in svg


def test_very_many_parameters_are_cut_and_the_objective_stays() -> None:
    svg = parallel(3, names=60)
    assert "p14" in texts(svg)
    assert "p15" not in texts(svg)
    assert "minimize" in " ".join(texts(svg))


def test_curves_have_their_labels_apart_and_gaps() -> None:
    def points(end: float) -> list[MetricPoint]:
        values = [1.0, math.nan, end, end]
        return [MetricPoint("loss", n + 1, n, v, 0) for n, v in enumerate(values)]

    curves = [TrialCurve(n, DONE, points(0.5 + n / 1e6), 0.5 + n / 1e6) for n in range(5)]
    svg = curves_svg(build_curves_info(curves, HOSTILE, LOSS, best=0))
    labels = [node for node in parsed(svg).iter("text") if (node.text or "").startswith("#")]
    heights = sorted(float(node.get("y", "0")) for node in labels)
    assert len(heights) == 5
    assert heights[-1] < 320, "within the picture"
    assert min(b - a for a, b in pairwise(heights)) >= 14
    parsed(curves_svg(build_curves_info(curves[:1], "m", LOSS, best=None)))


def test_colours_of_the_ramp_lie_between_three_tokens() -> None:
    assert color("@best") == "var(--best)"
    assert color("@ramp-0.00") == "color-mix(in oklab, var(--ramp-1) 0%, var(--ramp-0))"
    assert color("@ramp-0.75") == "color-mix(in oklab, var(--ramp-2) 50%, var(--ramp-1))"
    assert color("@ramp-1.00") == "color-mix(in oklab, var(--ramp-2) 100%, var(--ramp-1))"
