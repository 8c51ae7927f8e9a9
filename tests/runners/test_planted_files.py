"""What a command puts where the runner keeps its records: it harms nobody but itself."""

import os
from pathlib import Path

import pytest

from sweeps.runners import spool

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
