"""The runner that other tests script keeps the part of the contract that needs no processes."""

import time
from pathlib import Path

import pytest

from sweeps.runners.base import EndedBy, LaunchSpec, Lost, Result, Runner
from tests.runners.contract import RunnerContract, launch
from tests.runners.scripted import ScriptedRunner


class TestScriptedRunner(RunnerContract):
    @pytest.fixture
    def runner(self) -> Runner:
        now = time.time()
        return ScriptedRunner({"over": Result(EndedBy.EXIT, 0, None, now, now, None, "")})

    def ends_with_0(self, spool: Path) -> LaunchSpec:
        return launch(spool, "anything", name="over")

    def runs_on(self, spool: Path) -> LaunchSpec:
        return launch(spool, "anything")


def test_a_scripted_attempt_can_be_lost_and_starts_are_counted(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    spec = launch(tmp_path, "anything", name="one")
    handle = runner.start(spec)
    runner.start(spec)
    runner.lose("one", "power cut")
    assert runner.poll([handle]) == [Lost(handle, "power cut")]
    assert runner.started == ["one"]
