"""Draining the command's output into capped files."""

import os
from pathlib import Path

from sweeps.runners.logs import Log


def test_a_full_disk_drops_the_log_and_says_so_but_goes_on_draining() -> None:
    log = Log("/dev/full", 1000)
    os.write(log.writer, b"one")
    assert log.drain()
    os.write(log.writer, b"two")
    assert log.drain()
    os.close(log.writer)
    assert not log.drain()
    log.close()
    assert log.problem == "Part of the log was dropped: No space left on device."


def test_closing_takes_what_is_left_and_does_not_wait_for_whoever_holds_the_pipe(
    tmp_path: Path,
) -> None:
    log = Log(str(tmp_path / "log"), 1000)
    os.write(log.writer, b"the last words")
    log.close()  # would hang here if it waited: our own writer is still open
    os.close(log.writer)
    assert (tmp_path / "log").read_bytes() == b"the last words"


def test_the_cut_is_exact_and_told_once(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), 4)
    for data in (b"abc", b"def", b"ghi"):
        os.write(log.writer, data)
        assert log.drain()
    log.close()
    os.close(log.writer)
    text = (tmp_path / "log").read_text()
    assert text == "abcd\n[log cut: it reached the limit of 4 bytes]\n"
