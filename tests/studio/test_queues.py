"""The queue hands wake-ups over at once, and a queue that is away fails nobody."""

import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from huey.constants import EmptyData

from studio.queues import RungStorage, StudioRedisHuey, StudioSqliteHuey
from studio.supervisor.home import free_port

# So long that a busy machine cannot be taken for a queue that looks now and then.
LOOK_S = 3.0


@pytest.fixture(autouse=True)
def _rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.queues.LOOK_S", LOOK_S)


@pytest.fixture
def huey(tmp_path: Path) -> StudioSqliteHuey:
    return StudioSqliteHuey("tests", filename=str(tmp_path / "huey.db"), results=False)


def test_a_worker_gets_a_message_as_soon_as_it_comes(huey: StudioSqliteHuey) -> None:
    storage, got = huey.storage, []
    assert storage.blocking, "the consumer would sleep after each look"

    def work() -> None:
        while not got:
            if (data := storage.dequeue()) is not None:
                got.append((time.monotonic(), bytes(data)))

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.1)  # it waits by now; if not, it finds the message when it looks
    sent = time.monotonic()
    RungStorage("tests", filename=storage.filename).enqueue(b"hello")
    worker.join(timeout=15)
    [(at, data)] = got
    assert data == b"hello"
    assert at - sent < LOOK_S / 2


def test_a_message_whose_ring_was_lost_is_found_all_the_same(huey: StudioSqliteHuey) -> None:
    began = time.monotonic()
    with sqlite3.connect(huey.storage.filename) as other:
        other.execute("INSERT INTO task (queue, data) VALUES ('tests', 'x')")
    assert huey.storage.dequeue() == "x"
    assert time.monotonic() - began < LOOK_S
    assert huey.storage.dequeue() is None
    assert LOOK_S <= time.monotonic() - began < LOOK_S + 10


def test_several_messages_are_had_without_waiting(huey: StudioSqliteHuey) -> None:
    for number in range(20):
        huey.storage.enqueue(b"%d" % number)
    began = time.monotonic()
    assert [bytes(huey.storage.dequeue()) for _ in range(20)] == [b"%d" % n for n in range(20)]
    assert time.monotonic() - began < LOOK_S


def test_what_the_queue_keeps_beside_messages_is_still_had_once(huey: StudioSqliteHuey) -> None:
    storage = huey.storage
    assert storage.pop_data("a") is EmptyData
    storage.put_data("a", b"kept")
    assert storage.pop_data("a") == b"kept"
    assert storage.pop_data("a") is EmptyData


def fails_softly(huey: Any, caplog: pytest.LogCaptureFixture) -> None:
    @huey.task()
    def work(number: int) -> None:
        raise AssertionError("it runs in no request")

    with caplog.at_level(logging.WARNING):
        assert work(7) is None
    assert "did not take the wake-up work" in caplog.text


def test_a_full_disk_fails_no_request(
    huey: StudioSqliteHuey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(huey.storage, "sql", full)
    fails_softly(huey, caplog)


def test_a_redis_that_is_away_fails_no_request_and_holds_none_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    huey = StudioRedisHuey("tests", url=f"redis://127.0.0.1:{free_port()}", results=False)
    began = time.monotonic()
    fails_softly(huey, caplog)
    assert time.monotonic() - began < 5  # the client itself would try for seven
