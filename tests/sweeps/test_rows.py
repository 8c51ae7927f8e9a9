"""Writes by hand do what Django's do."""

from datetime import timedelta

import pytest
from django.db import connection

from sweeps.models import Attempt, MetricPoint, StateChange, Trial
from sweeps.services import rows, sweeps
from tests.api.acts import start

pytestmark = pytest.mark.django_db


def test_an_update_changes_what_is_as_it_was_seen(sweep, now):
    one, other = sweeps.advance(sweep.pk, now).trials
    start(one, now)
    open_one = {"trial_id": one, "ended_at": None, "number": 1}
    later = now + timedelta(seconds=1.5)
    changes = {"argv": ["a", "ö%s"], "ended_at": later, "exit_code": None, "accepted": True}
    assert rows.update(Attempt, open_one, **changes) == 1
    assert rows.update(Attempt, open_one, **changes) == 0, "it has ended"
    attempt = Attempt.objects.get(trial=one)
    assert {name: getattr(attempt, name) for name in changes} == changes
    assert rows.update(Trial, {"pk": other, "status": "Running"}, status="Failed") == 0
    assert rows.update(Trial, {"pk": other, "status": "Queued"}, params={"x": [1.5]}) == 1
    assert Trial.objects.get(pk=other).params == {"x": [1.5]}
    assert Trial.objects.get(pk=one).params != {"x": [1.5]}


@pytest.mark.parametrize("count", [1, 3, 50])
def test_new_rows_are_as_django_would_save_them(sweep, now, count):
    new = [StateChange(sweep=sweep, after=f"{n}", actor="ann", at=now) for n in range(count)]
    rows.insert(*new)
    kept = StateChange.objects.filter(sweep=sweep, actor="ann").order_by("pk")
    assert [row.after for row in kept] == [f"{n}" for n in range(count)]
    assert [row.pk for row in new] == [row.pk for row in kept]
    assert {(row.before, row.attempt, row.at) for row in kept} == {("", 0, now)}
    assert not any(row._state.adding for row in new)


def test_many_plain_rows_are_as_django_would_save_them(sweep, now):
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)

    def points(name):
        alike = {"attempt": attempt, "step": -3, "kind": "num", "timestamp_ms": 2**40, "mean": None}
        return [MetricPoint(name=name, report=n, value=n / 3, best=0.1, **alike) for n in range(50)]

    rows.insert_plain([])
    rows.insert_plain(points("ö%s"))
    MetricPoint.objects.bulk_create(points("django"))
    both = MetricPoint.objects.order_by("report")
    names = [field.name for field in MetricPoint._meta.fields if field.name not in ("id", "name")]
    found = both.filter(name="ö%s").values_list(*names)
    assert list(found) == list(both.filter(name="django").values_list(*names))
    assert len(found) == 50


def test_a_database_that_tells_no_keys_is_left_to_django(sweep, monkeypatch):
    saved = []
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    monkeypatch.setattr(Trial, "save", lambda row, **how: saved.append((row.number, how)))
    rows.insert(Trial(sweep=sweep, number=7), Trial(sweep=sweep, number=8))
    assert saved == [(7, {"force_insert": True}), (8, {"force_insert": True})]
