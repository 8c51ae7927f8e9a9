"""What a command puts where the runner keeps its records: it harms nobody but itself."""

import json
import logging
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sweeps.runners import proc, spool
from sweeps.runners.base import Ended, EndedBy, Lost, Result, RunnerError, Running
from sweeps.runners.local import LocalRunner

GOOD = (
    '{"ended_by": "exit", "exit_code": 0, "signal": null, "started_at": 1.0, "ended_at": 2.0,'
    ' "peak_memory_bytes": null, "message": ""}'
)


@pytest.mark.parametrize(
    "text",
    [
        '{"ended_by": "zz"}',
        "[]",
        "not json",
        "[" * 100_000,
        GOOD.replace('"exit"', '"nothing"'),
        GOOD.replace("2.0", '"late"'),
        GOOD.replace("2.0", "1e300"),
        GOOD.replace('"message": ""', '"message": 7'),
        GOOD.replace('"exit_code": 0', '"exit_code": "0"'),
        GOOD[:-1] + ', "more": 1}',
        GOOD.replace('"exit_code": 0', f'"exit_code": {10**30}'),
        GOOD.replace('"exit_code": 0', '"exit_code": true'),
        GOOD.replace('"message": ""', r'"message": "\u0000"'),
        GOOD.replace('"message": ""', r'"message": "\ud800"'),
        GOOD.replace('"signal": null, ', ""),
        GOOD[:-9],
    ],
)
def test_a_result_that_is_none_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / spool.RESULT).write_text(text)
    assert spool.read_result(str(tmp_path)) is None


def test_a_good_result_is_read(tmp_path: Path) -> None:
    (tmp_path / spool.RESULT).write_text(GOOD)
    result = spool.read_result(str(tmp_path))
    assert result is not None
    assert (result.exit_code, result.ended_at) == (0, 2.0)


def test_a_pipe_a_folder_and_a_link_count_as_none_and_hold_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "elsewhere").write_text(GOOD)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert [spool.read(str(tmp_path), name) for name in ("pipe", "folder", "link")] == [None] * 3


def plant(folder: Path, name: str, record: Any) -> None:
    (folder / name).write_text(json.dumps(record))


def launch_of(folder: Path) -> dict[str, Any]:
    return {
        "name": "a", "spool": str(folder), "cookie": f"planted.{os.urandom(6).hex()}",
        "argv": ["true"], "cwd": "/", "env": {"A": "b"}, "time_limit_s": None, "grace_s": 5.0,
        "log_cap_bytes": 1, "boot_id": proc.boot_id(), "launched_at": time.time(), "launch": 0.0,
    }  # fmt: skip


@pytest.fixture
def guard() -> Iterator[dict[str, Any]]:
    """The identity of a process that lives."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield proc.identity(process.pid)
        process.kill()


def records_of(folder: Path, guard: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One of each, as we write them, of a command that runs."""
    return {
        spool.LAUNCH: launch_of(folder),
        spool.GUARD: guard,
        spool.SHIM: {**guard, "command_pid": 7, "started_at": 1.0, "start": 1.0},
        spool.STOP: {"grace_s": 600.0, "reason": "", "asked": time.monotonic()},
        spool.LIMIT: {"time_limit_s": 7},
    }


ODD = [None, True, -1, 1e300, float("nan"), 10**30, "x", "a\0", "\ud800", [], [7], {}, {"a": 7}]


@pytest.mark.parametrize("name", [spool.LAUNCH, spool.GUARD, spool.SHIM, spool.STOP, spool.LIMIT])
def test_odd_records_are_ignored_and_harm_no_other_command(
    tmp_path: Path, guard: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever stands in a field: every question is answered, and right for the neighbour."""
    odd, good = tmp_path / "odd", tmp_path / "good"
    odd.mkdir()
    good.mkdir()
    for record_name, record in records_of(good, guard).items():
        plant(good, record_name, record)
    runner, records = LocalRunner(), records_of(odd, guard)
    for field, value in ((field, value) for field in records[name] for value in ODD):
        for record_name, record in records.items():
            changed = {**record, field: value} if record_name == name else record
            plant(odd, record_name, changed)
        events = runner.poll([str(odd), str(good)])
        assert isinstance(events[0], (Lost, Running)), (field, value)
        assert events[1] == Running(str(good), 7, None), (field, value)
        assert len(runner.signs([str(odd), str(good)])) >= 1
        runner.set_time_limit(str(odd), 9.0)
        with suppress(RunnerError):  # it is running
            runner.cleanup(str(odd))
    spool._told.clear()
    caplog.clear()
    plant(odd, name, {"pid": "x"})
    with caplog.at_level(logging.WARNING):
        assert [spool.read(str(odd), name) for _ in range(3)] == [None] * 3
    assert [str(odd / name) in line for line in caplog.messages] == [True]
    runner.signs([])


def test_an_odd_order_to_stop_is_replaced_by_a_good_one(
    tmp_path: Path, guard: dict[str, Any]
) -> None:
    for name, record in records_of(tmp_path, guard).items():
        plant(tmp_path, name, record)
    plant(tmp_path, spool.STOP, {"grace_s": "soon"})
    LocalRunner().stop(str(tmp_path), grace_s=3.0, reason="Because.")
    order = spool.read(str(tmp_path), spool.STOP)
    assert order is not None
    assert (order["grace_s"], order["reason"]) == (3.0, "Because.")


def test_a_command_without_a_readable_guard_and_without_shim_is_lost(tmp_path: Path) -> None:
    plant(tmp_path, spool.LAUNCH, launch_of(tmp_path))
    plant(tmp_path, spool.GUARD, {"pid": "x"})
    [event] = LocalRunner().poll([str(tmp_path)])
    assert isinstance(event, Lost)
    (tmp_path / spool.RESULT).write_text(GOOD)
    [event] = LocalRunner().poll([str(tmp_path)])
    assert event == Ended(str(tmp_path), Result(EndedBy.EXIT, 0, None, 1.0, 2.0, None, ""))


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / spool.RESULT).open("wb") as file:
        file.truncate(2**40)
    assert spool.read_result(str(tmp_path)) is None
