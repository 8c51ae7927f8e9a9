"""What all trials of a bundle have together is bounded, and written in small pieces."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from studio.models import Workspace
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep
from sweeps.services import bundles
from tests.sweeps.test_bundles import bring, code, files_of, first, home, lines, packed, zip_of

__all__ = ["code", "first", "home"]

MANY = {
    "metrics": lines(metrics={name: {"count": 1, "last": 1} for name in "abc"}),
    "points": lines(points={name: [[0, 1, 1]] for name in "abc"}),
}


def with_trials(first: Sweep, *trials: bytes) -> bytes:
    return zip_of(files_of(packed(first)) | {"trials.jsonl": b"\n".join(trials)})


@pytest.mark.parametrize("kind", MANY)
@pytest.mark.parametrize("bound", ["MAX_ALL_METRICS", "MAX_ALL_NAMES"])
def test_metrics_of_all_trials_are_bounded(
    first: Sweep, workspace: Workspace, kind: str, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"sweeps.domain.bundles.{bound}", 5)
    data = with_trials(first, MANY[kind], MANY[kind].replace(b'"number": 0', b'"number": 1'))
    with pytest.raises(InvalidInput, match="metrics of trials") as error:
        bring(workspace, data)
    assert [problem.line for problem in error.value.problems] == [2]


def test_trials_with_many_metrics_are_written_few_at_a_time(
    first: Sweep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes meanwhile waits for one transaction at most."""
    sizes, pauses = [], []
    insert = bundles._insert
    clock = SimpleNamespace(monotonic=count(step=0.07).__next__, sleep=pauses.append)
    monkeypatch.setattr(bundles, "time", clock)

    def noted(sweep: Sweep, trials: list[Any], *rest: Any) -> None:
        sizes.append(len(trials))
        insert(sweep, trials, *rest)

    monkeypatch.setattr(bundles, "_POINTS", 20)
    monkeypatch.setattr(bundles, "_insert", noted)
    metrics = {name: {"count": 1, "last": 1} for name in "abc"}
    data = with_trials(first, *(lines(number=n, metrics=metrics) for n in range(4)))
    assert bring(workspace, data).trials.count() == 4
    assert sizes == [2, 2]
    assert pauses == [pytest.approx(0.07)] * 2, "in which others come in"
