"""Points that people pick."""

import pytest

from sweeps.domain.picks import checked_point
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space_doc import parse_space

C = {"type": "uniform", "min_value": 0, "max_value": 1}
LR = "Must be a number from 0.01 to 1."
DEPTH = "Must be a number from 2 to 10 in steps of 2."
MODEL = "Must be one of linear or one of the nested choices with all its parameters."
SPACE = parse_space(
    {
        "lr": {"type": "loguniform", "min_value": -4.605170185988091, "max_value": 0.0},
        "depth": {"type": "quniform", "min_value": 2, "max_value": 10, "q": 2},
        "model": {
            "type": "choice",
            "values": [
                "linear",
                {"name": "svm", "c": C},
            ],
        },
    }
)
GOOD = {"lr": 0.01, "depth": 4.0, "model": {"name": "svm", "c": 1}}


def test_a_point_is_typed_as_a_sampler_would_have_drawn_it():
    point = checked_point(SPACE, GOOD)
    assert point == {"lr": 0.01, "depth": 4, "model": {"name": "svm", "c": 1.0}}
    assert [type(point["depth"]), list(point)] == [int, ["lr", "depth", "model"]]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"lr": 2.0}, {"lr": LR}),
        ({"lr": "fast"}, {"lr": LR}),
        ({"depth": 3}, {"depth": DEPTH}),
        ({"model": "tree"}, {"model": MODEL}),
        ({"model": {"name": "svm"}}, {"model": MODEL}),
        ({"momentum": 1}, {"momentum": "The search space has no parameter “momentum”."}),
        ({"lr": None, "depth": 5}, {"lr": LR, "depth": DEPTH}),
    ],
)  # fmt: skip
def test_every_parameter_that_does_not_fit_is_told(changes, problems):
    with pytest.raises(InvalidInput) as caught:
        checked_point(SPACE, GOOD | changes)
    assert {p.field: p.message for p in caught.value.problems} == problems


def test_a_missing_parameter_is_told():
    with pytest.raises(InvalidInput) as caught:
        checked_point(SPACE, {"lr": 0.1, "depth": 2})
    assert [(p.field, p.message) for p in caught.value.problems] == [("model", "Give a value.")]
