"""Reads whose SQL is written once say the same as plain ones."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from sweeps.models import Sweep, Trial
from sweeps.queries.prepared import Prepared
from sweeps.services import sweeps
from tests.api.acts import start

pytestmark = pytest.mark.django_db


@Prepared
def one(trial_id, now):
    due = Q(not_before=None) | Q(not_before__lte=now)
    trials = Trial.objects.filter(due, pk=trial_id, status__in=("Queued", "Running")).order_by()
    return trials.select_related("sweep__compute", "sweep__code").only(
        "number", "params", "not_before", "sweep__created_at", "sweep__compute__slots",
        "sweep__code__digest",
    )  # fmt: skip


def test_rows_are_what_a_plain_read_gives(make_sweep, now):
    sweep = make_sweep()
    rest, ready = sweeps.advance(sweep.pk, now).trials
    Trial.objects.filter(pk=rest).update(not_before=now)
    assert one(rest, now - timedelta(seconds=1)) == []
    for trial_id in (rest, ready):
        [trial], plain = one(trial_id, now), Trial.objects.select_related("sweep").get(pk=trial_id)
        with CaptureQueriesContext(connection) as asked:
            found = (trial.number, trial.params, trial.not_before, trial.sweep.created_at)
            assert (trial.sweep.compute.slots, trial.sweep.code) == (sweep.compute.slots, None)
        assert found == (plain.number, plain.params, plain.not_before, plain.sweep.created_at)
        assert not asked.captured_queries
        assert trial.get_deferred_fields() >= {"reason", "flat_params"}
        assert trial.reason == plain.reason, "what was left out is read when it is asked for"


def test_it_sees_what_has_changed_since(make_sweep, now):
    sweep = make_sweep()
    trial_id, _ = sweeps.advance(sweep.pk, now).trials
    assert one.first(trial_id, now).status == "Queued"
    start(trial_id, now)
    assert one.first(trial_id, now).status == "Running"
    Trial.objects.filter(pk=trial_id).update(status="Failed")
    assert one.first(trial_id, now) is None


def test_plain_values_and_slices(make_sweep, now):
    @Prepared
    def named(name):
        return Sweep.objects.filter(name=name).order_by().values_list("pk", "name")[:1]

    @Prepared
    def ids():
        return Sweep.objects.order_by("pk").values_list("pk", flat=True)

    first, second = make_sweep(name="first"), make_sweep(name="second")
    assert named("second") == [(second.pk, "second")]
    assert named("first") == [(first.pk, "first")]
    assert ids() == [first.pk, second.pk]


def test_the_queryset_is_made_once(make_sweep):
    made = []

    @Prepared
    def named(name):
        made.append(name)
        return Sweep.objects.filter(name=name)

    assert [named("a"), named("b"), named.first("c")] == [[], [], None]
    assert len(made) == 1
