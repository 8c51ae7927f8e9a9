"""The engine tells: what is in the outbox gets there, whatever dies or hangs meanwhile."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from studio.services import archive_workspace
from sweeps.domain.states import SweepStatus
from sweeps.engine import notices as engine
from sweeps.engine.notices import Notices, deliver
from sweeps.models import Channel, Delivery, Sweep
from sweeps.queries.notices import due_deliveries
from sweeps.services import channels, notices
from sweeps.services.state import move_sweep
from tests.notify.receiver import Receiver, is_signed
from tests.stores.web import serving


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.STUDIO_NOTIFY_PRIVATE = True
    with serving() as web:
        yield Receiver(web)


@pytest.fixture
def channel(sweep: Sweep, receiver: Receiver) -> Channel:
    new = Channel(workspace=sweep.workspace, name="x", kind="webhook", address=receiver.address)
    channels.create_channel(new)
    return new


def send_due(now: datetime) -> int:
    """What the threads of the engine do, here and now."""
    due = due_deliveries(now)
    for delivery_id, _ in due:
        deliver(delivery_id, lambda: now)
    return len(due)


def test_an_end_reaches_the_receiver_signed(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime
) -> None:
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    assert send_due(now) == 1
    assert send_due(now + timedelta(days=2)) == 0
    [(headers, body)] = receiver.got
    assert is_signed(headers, body, channel.secret)
    row = Delivery.objects.get()
    assert headers["webhook-id"] == row.uid
    assert receiver.bodies == [row.payload]
    assert (row.state, row.answer[:7], row.ended_at) == ("sent", "204 in ", now)


def test_a_receiver_that_was_away_gets_it_later_under_the_same_name(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime
) -> None:
    receiver.answers = [500, 503]
    move_sweep(sweep, SweepStatus.FAILED, now)
    assert send_due(now) == 1
    row = Delivery.objects.get()
    assert (row.state, row.due_at) == ("waiting", now + timedelta(seconds=10))
    assert row.answer.startswith("It answered 500")
    for seconds, count in ((9, 0), (10, 1), (29, 0), (30, 1), (9999, 0)):
        assert send_due(now + timedelta(seconds=seconds)) == count
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 3
    assert Delivery.objects.get().state == "sent"


def test_after_a_day_of_refusals_it_is_given_up_with_the_reason(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime
) -> None:
    receiver.answers = [404] * 100
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    row = Delivery.objects.get()
    while row.state == "waiting":
        assert send_due(row.due_at) == 1
        row.refresh_from_db()
    assert row.state == "failed"
    assert row.answer == "It answered 404: no <b>thanks</b> today."
    assert len(receiver.got) == row.tries < 40


def test_what_waits_when_its_workspace_is_archived_is_not_sent(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime
) -> None:
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    archive_workspace(sweep.workspace, now)
    assert send_due(now) == 1
    row = Delivery.objects.get()
    assert (row.state, row.answer) == ("failed", "The workspace is archived.")
    assert receiver.got == []


def test_a_test_is_tried_once(channel: Channel, receiver: Receiver, now: datetime) -> None:
    receiver.answers = [500]
    for expected in ("failed", "sent"):
        row = notices.send_test(channel, "ann", now)
        send_due(now)
        row.refresh_from_db()
        assert row.state == expected
    assert receiver.bodies[0]["type"] == "test"
    assert receiver.bodies[0]["data"]["by"] == "ann"


def test_an_engine_that_dies_while_it_sends_loses_nothing(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    move_sweep(sweep, SweepStatus.COMPLETED, now)
    with monkeypatch.context() as patch:
        patch.setattr(engine.services, "mark_sent", die)
        with pytest.raises(Killed):
            send_due(now)
    assert send_due(now + timedelta(seconds=1)) == 0
    assert send_due(now + notices.LEASE) == 1
    first, second = receiver.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert Delivery.objects.get().state == "sent"


def test_a_fault_of_ours_is_told_and_ends_some_day(
    sweep: Sweep, channel: Channel, receiver: Receiver, now: datetime
) -> None:
    Channel.objects.update(secret="whsec_=not base64")
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    send_due(now)
    row = Delivery.objects.get()
    assert (row.state, row.answer[:26]) == ("waiting", "The studio failed at it: E")


# --- Threads ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_one_receiver_that_hangs_holds_up_no_other(
    make_sweep: Callable[..., Sweep], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = make_sweep()
    for name in ("hangs", "works"):
        Channel.objects.create(
            workspace=sweep.workspace, name=name, kind="webhook", address="https://x.org/"
        )
    go_on, works = threading.Event(), threading.Event()
    sent: list[str] = []

    def send(delivery: Delivery, _: datetime) -> str:
        sent.append(delivery.channel.name)
        if delivery.channel.name == "works":
            works.set()
        else:
            go_on.wait(20)
        return "ok"

    monkeypatch.setattr(engine, "_send", send)
    monkeypatch.setattr(deliver, "__defaults__", (lambda: now,))
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    looking = Notices()
    looking.look(now)
    assert works.wait(20)
    for row in Delivery.objects.filter(channel__name="works"):
        notices.try_again(row, now)
    move_sweep(sweep, SweepStatus.RUNNING, now)
    move_sweep(sweep, SweepStatus.FAILED, now)
    wait_for(lambda: not busy(looking, "works"))
    looking.look(now)
    wait_for(lambda: sent.count("works") == 2)
    assert sent.count("hangs") == 1
    go_on.set()
    wait_for(lambda: not looking._busy)
    looking.look(now)
    wait_for(lambda: Delivery.objects.filter(state="sent").count() == 4)
    wait_for(lambda: not looking._busy)


def busy(looking: Notices, name: str) -> bool:
    return Channel.objects.get(name=name).pk in looking._busy


def wait_for(done: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if done():
            return
        pause.wait(0.01)
    raise AssertionError("it never comes")
