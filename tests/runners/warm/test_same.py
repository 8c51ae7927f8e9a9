"""A script cannot tell whether it was started warm: everything observable is compared.

What is known to differ is said in the docstring of sweeps.runners.warm.
"""

import re

import pytest

from tests.runners.warm.cases import CASES
from tests.runners.warm.stage import Case, Stage

ALL = [
    pytest.param(case, id=case.name, marks=[pytest.mark.long] if case.long else [])
    for case in CASES
]


@pytest.mark.parametrize("case", ALL)
def test_cold_and_warm_are_the_same(case: Case, stage: Stage) -> None:
    cold, _ = stage.run(case, warm=False)
    warm, how = stage.run(case, warm=True)
    assert how.warm == (not case.cold), how.reason
    assert re.search(case.cold, how.reason)
    if case.fresh:
        again = [stage.run(case, warm)[0] for warm in (False, True)]
        assert not _in_common(cold.out, again[0].out), "the script says the same when run cold"
        assert not _in_common(warm.out, again[1].out)
        warm = warm._replace(out=cold.out)
    assert warm == cold
    assert any(cold[1:6]) or not case.script, "nothing was compared"


def _in_common(one: bytes, other: bytes) -> list[bytes]:
    return [a for a, b in zip(one.splitlines(), other.splitlines(), strict=True) if a == b]


def test_there_are_over_a_hundred_scripts_and_each_is_another_one() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 100
