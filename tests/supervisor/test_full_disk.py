"""A supervisor whose disk is full goes on: it loses lines of its log, never a part."""

import errno
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.supervisor import lines, supervisor
from studio.supervisor.supervisor import Supervisor


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_the_disk_does_not_take_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    class Full:
        def write(self, text: str) -> None:
            tried.append(text)
            full()

    monkeypatch.setattr(sys, "stdout", Full())
    lines.say("web", "a line")
    monkeypatch.undo()
    assert len(tried) == 1


def test_what_could_not_be_written_down_is_written_down_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher = Supervisor(tmp_path, [], "http://127.0.0.1:9/healthz")
    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "remember", full)
        watcher._remember()
        watcher._round()
    assert capsys.readouterr().out.count("cannot write down what runs") == 1
    assert not (tmp_path / "processes.json").exists()
    watcher._round()
    assert (tmp_path / "processes.json").read_text() == "{}"
