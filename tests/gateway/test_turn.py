"""Writers who come together are written for together, and none is lost or answered too early."""

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import pytest
from django.utils import timezone

from sweeps.gateway import identity
from sweeps.gateway.turn import MOST, MOST_WEIGHT, Together
from sweeps.models import Attempt, MetricPoint, OutboxEntry
from sweeps.queries.records import objective_of
from sweeps.services import metrics
from tests.e2e.studios import until
from tests.gateway.conftest import Running


class Desk:
    """A `work` that can be held back, and remembers what came together."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def work(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        self.begun.set()
        assert self.go.wait(20)
        if any(item < 0 for item in items):
            raise ValueError(f"{items}")
        return [item * 10 for item in items]


def crowd(together: Together[int, int], desk: Desk, items: Sequence[int]) -> dict[int, object]:
    """What each of `items` came to, when all but the first came while that was being written."""
    found: dict[int, object] = {}

    def one(item: int) -> None:
        try:
            found[item] = together.do(item)
        except ValueError as error:
            found[item] = str(error)

    threads = [threading.Thread(target=one, args=(item,)) for item in items]
    threads[0].start()
    assert desk.begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(together._waiting[None]) == len(items) - 1, "all to wait", 20)
    assert found == {}, "nobody is answered before it is written"
    desk.go.set()
    for thread in threads:
        thread.join(20)
    assert together._waiting == {}, "nobody leads once all is done"
    return found


def test_who_comes_while_one_writes_is_written_together() -> None:
    desk = Desk()
    together: Together[int, int] = Together(desk.work)
    items = list(range(MOST + 6))
    assert crowd(together, desk, items) == {item: item * 10 for item in items}
    assert [len(group) for group in desk.groups] == [1, MOST, 5]


def test_one_that_fails_harms_nobody_else() -> None:
    desk = Desk()
    found = crowd(Together(desk.work), desk, [1, 2, -3, 4])
    assert found == {1: 10, 2: 20, -3: "[-3]", 4: 40}
    assert sorted(desk.groups[1]) == [-3, 2, 4]
    assert sorted(desk.groups[2:]) == [[-3], [2], [4]]


def test_what_goes_together_weighs_no_more_than_one_transaction_may() -> None:
    desk = Desk()
    together: Together[int, int] = Together(desk.work, weight=lambda item: item)
    items = [1, MOST_WEIGHT, MOST_WEIGHT - 2, 2, 5]
    assert len(crowd(together, desk, items)) == 5
    assert [sorted(group) for group in desk.groups[:2]] == [[1], [MOST_WEIGHT]]
    assert sorted(sum(group) for group in desk.groups[2:]) == [5, MOST_WEIGHT]


def test_who_has_much_to_write_lets_others_in_between() -> None:
    desk = Desk()
    together: Together[int, int] = Together(desk.work, owner=lambda item: item // 100)
    # Four calls of one trial, then one of another.
    assert len(crowd(together, desk, [100, 101, 102, 103, 200])) == 5
    assert desk.groups[0] == [100]
    assert 200 in desk.groups[1], "it waits for one call of the other trial, not for all"
    assert all(len({item // 100 for item in group}) == len(group) for group in desk.groups)


def test_where_the_database_takes_several_writers_other_keys_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sweeps.gateway.turn.turn", nullcontext)
    desk = Desk()
    together: Together[int, int] = Together(desk.work)
    first = threading.Thread(target=together.do, args=(1, "a"))
    first.start()
    assert desk.begun.wait(20)
    second = threading.Thread(target=together.do, args=(2, "b"))
    second.start()
    until(lambda: len(desk.groups) == 2, "the other key", 20)
    desk.go.set()
    first.join(20)
    second.join(20)


def a_call(who: Running, value: float) -> metrics.Call:
    body = {"run_id": who.run_id, "metrics": []}
    point = metrics.Value("loss", value, 0, 1)
    objective = objective_of(who.attempt.trial.sweep)
    return metrics.Call(who.attempt, objective, [point], [body], timezone.now())


@pytest.mark.django_db(transaction=True)
def test_of_calls_written_together_only_that_of_an_ended_attempt_is_refused(
    trial: Running, sibling: Running
) -> None:
    trial.end()
    refused, kept = metrics.record_all([a_call(trial, 1.0), a_call(sibling, 2.0)])
    assert isinstance(refused, metrics.Superseded)
    assert kept == ["loss"]
    assert list(MetricPoint.objects.values_list("attempt", "value")) == [(sibling.attempt.pk, 2.0)]
    assert OutboxEntry.objects.get().attempt_id == sibling.attempt.pk


@pytest.mark.django_db(transaction=True)
def test_a_remembered_token_logs_nothing_once_its_attempt_has_ended(
    trial: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remembered for a second, or here for ever: the transaction looks itself."""
    monkeypatch.setattr(identity, "REMEMBERED_S", 3600.0)
    assert trial.log("loss", 1.0).status_code == 200
    trial.end()
    assert trial.log("loss", 2.0).status_code == 401
    nested = trial.api.post(
        "runs/log-metric", run_id="f" * 32, key="loss", value=1, timestamp=1, step=0
    )
    assert nested.status_code == 401
    assert list(MetricPoint.objects.values_list("value", flat=True)) == [1.0]
    assert Attempt.objects.get(pk=trial.attempt.pk).ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_many_trials_at_once_lose_nothing(trial: Running, sibling: Running) -> None:
    """Two trials, three threads each: every answered value is there, once and in the outbox."""
    values = range(20)

    def log(who: Running, name: str) -> Callable[[], None]:
        def run() -> None:
            for value in values:
                assert who.log(name, float(value), step=value).status_code == 200

        return run

    threads = [
        threading.Thread(target=log(who, name))
        for who in (trial, sibling)
        for name in ("loss", "acc", "auc")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for who in (trial, sibling):
        for name in ("loss", "acc", "auc"):
            points = MetricPoint.objects.filter(attempt=who.attempt, name=name).order_by("report")
            assert list(points.values_list("value", flat=True)) == [float(v) for v in values]
            assert [p.report for p in points] == list(range(1, len(values) + 1))
        sent = OutboxEntry.objects.filter(attempt=who.attempt).count()
        assert sent == 3 * len(values)
