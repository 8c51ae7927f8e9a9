"""The bell between processes: heard at once, by one, and never a reason to fail."""

import os
import threading
import time
from pathlib import Path

from studio import bell
from studio.bell import Bell
from tests.runners.processes import wait_for


def test_a_ring_that_came_first_is_heard_at_once(tmp_path: Path) -> None:
    listener = Bell(tmp_path / "bell")
    assert not listener.wait(0)
    Bell(tmp_path / "bell").ring()
    began = time.monotonic()
    assert listener.wait(10)
    assert time.monotonic() - began < 5
    assert not listener.wait(0)


def test_a_ring_wakes_who_waits(tmp_path: Path) -> None:
    listener, heard = Bell(tmp_path / "bell"), []
    thread = threading.Thread(target=lambda: heard.append(listener.wait(10)))
    thread.start()
    wait_for(lambda: listener._reader is not None, "the listener")
    listener.ring()
    thread.join(timeout=15)
    assert heard == [True]


def test_each_ring_wakes_one_of_several(tmp_path: Path) -> None:
    listener, heard = Bell(tmp_path / "bell"), []
    assert not listener.wait(0)
    for _ in range(2):
        listener.ring()
    threads = [threading.Thread(target=lambda: heard.append(listener.wait(0.2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [False, False, True, True]


def test_hushing_takes_all_rings(tmp_path: Path) -> None:
    listener = Bell(tmp_path / "bell")
    listener.wait(0)
    for _ in range(5000):
        listener.ring()
    listener.hush()
    assert not listener.wait(0)


def test_a_ring_that_nobody_hears_is_lost(tmp_path: Path) -> None:
    Bell(tmp_path / "bell").ring()
    Bell(tmp_path / "no" / "such" / "folder").ring()
    deaf = Bell(tmp_path / "full")
    deaf.wait(0)
    for _ in range(70_000):  # more than a pipe holds
        deaf.ring()
    assert deaf.wait(0), "what found room is heard"
    assert not (tmp_path / "bell").exists(), "a ring makes no pipe"


def test_another_descriptor_ends_the_wait_and_is_no_ring(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    began = time.monotonic()
    assert not Bell(tmp_path / "bell").wait(10, [reader])
    assert time.monotonic() - began < 5
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_where_there_can_be_no_pipe_it_is_looked_often(tmp_path: Path) -> None:
    (tmp_path / "bell").write_text("a file is in the way")
    blind = Bell(tmp_path / "bell")
    began = time.monotonic()
    assert blind.wait(10)
    assert time.monotonic() - began < bell.BLIND_S + 5
    blind.ring()
    assert (tmp_path / "bell").read_text() == "a file is in the way"
