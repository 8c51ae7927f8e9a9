"""Reading a trial's log, whatever the trial put in its place."""

import os
from pathlib import Path

import pytest

from sweeps.queries.logs import log_size, read_log


def test_a_log_is_read_from_an_offset(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_bytes("aä€".encode())
    part = read_log(tmp_path, "stdout", 1)
    assert (part.text, part.next_offset) == ("ä€", 6)
    assert log_size(tmp_path, "stdout") == 6


@pytest.mark.parametrize("offset", [6, 7, 999_999_999_999_999, 2**62, 2**70])
def test_behind_the_end_there_is_nothing(tmp_path: Path, offset: int) -> None:
    (tmp_path / "stdout.log").write_bytes(b"123456")
    assert read_log(tmp_path, "stdout", offset).text == ""


def test_a_pipe_a_link_and_a_folder_are_no_logs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stdout.log")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "stderr.log").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.log").mkdir()
    for stream in ("stdout", "stderr", "folder", "missing"):
        assert (read_log(tmp_path, stream, 0).text, log_size(tmp_path, stream)) == ("", 0)
