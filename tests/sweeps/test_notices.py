"""What happens to a sweep is in the outbox once it has happened, for those who want to know."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from studio.services import archive_workspace, restore_workspace
from sweeps.domain.notices import event_of, wait_before, web_address_problem
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import Desired, PausedBy, SweepStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import Attempt, Channel, Delivery, Sweep
from sweeps.services import control, metrics, notices, sweeps, trials
from sweeps.services.deletion import delete_sweep
from sweeps.services.metrics import Value
from sweeps.services.state import move_sweep
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LOSS = Objective("loss", Goal.MINIMIZE)
DONE = Outcome(Ending.EXIT, exit_code=0)


@pytest.fixture
def channel(workspace):
    return Channel.objects.create(
        workspace=workspace, name="all", kind="webhook", address="https://x.org/h", on_best=True
    )


@pytest.fixture
def running(sweep, now):
    """A sweep whose first two trials run; later ones start as slots fall free."""
    sweeps.advance(sweep.pk, now)
    sweep.refresh_from_db()
    return sweep


def start(sweep, now):
    trial = sweep.trials.filter(status="Queued").order_by("number").first()
    claimed = trials.claim(trial.pk, owner="t", spool_root=Path("/spool"), now=now)
    trials.record_run(claimed.attempt, f"r{trial.pk}")
    assert trials.record_started(claimed.attempt, f"h{trial.pk}", now)
    return Attempt.objects.select_related("trial__sweep").get(pk=claimed.attempt.pk)


def end(attempt, *values, now=NOW, outcome=DONE):
    logged = [Value("loss", value, i, 1000 + i) for i, value in enumerate(values)]
    metrics.record(attempt, LOSS, logged, [], now=now)
    return trials.finish(attempt, outcome, peak_memory=None, now=now, seen=now)


def told(**which):
    return list(Delivery.objects.filter(**which).order_by("pk").values_list("event", flat=True))


# --- Ends and pauses ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "event"),
    [
        (SweepStatus.COMPLETED, "sweep.completed"),
        (SweepStatus.FAILED, "sweep.failed"),
        (SweepStatus.CANCELED, "sweep.canceled"),
    ],
)
def test_an_end_is_told_with_how_it_stands(running, channel, now, status, event):
    end(start(running, now), 0.5)
    Delivery.objects.all().delete()
    move_sweep(running, status, now, reason="Because.")
    [row] = Delivery.objects.all()
    assert (row.event, row.state, row.due_at, row.sweep) == (event, "waiting", now, running)
    data = row.payload["data"]
    assert (row.payload["type"], row.payload["timestamp"]) == (event, now.isoformat())
    assert (data["status"], data["reason"], data["sweep"]) == (status, "Because.", running.name)
    assert data["trials"] == {"total": 4, "ended": 1, "completed": 1, "failed": 0}
    assert (data["best"]["trial"], data["best"]["value"]) == (0, 0.5)
    assert data["url"].endswith(f"/w/default/sweeps/{running.name}/")


def test_the_breakers_and_the_disks_pause_are_told_a_persons_is_not(running, channel, now):
    for by in PausedBy:
        control.pause_sweep(running, actor="ann", now=now, by=by, reason=f"{by}.")
        control.resume_sweep(running, actor="ann", now=now)
    rows = Delivery.objects.order_by("pk")
    assert [row.payload["data"]["reason"] for row in rows] == ["breaker.", "disk."]
    assert set(told()) == {"sweep.paused"}


def test_each_channel_is_told_what_it_asked_for_a_failure_once(running, channel, workspace, now):
    def add(name, **wants):
        nothing = {"on_ended": False, "on_broken": False, "on_best": False}
        kind, address = "email", f"{name}@x.org"
        row = nothing | wants | {"workspace": workspace, "name": name}
        Channel.objects.create(kind=kind, address=address, **row)

    add("ends", on_ended=True)
    add("breaks", on_broken=True)
    add("best", on_best=True)
    add("off", on_ended=True, on_broken=True, on_best=True, is_on=False)
    control.pause_sweep(running, actor="s", now=now, by=PausedBy.BREAKER)
    assert set(told(channel__name="breaks")) == {"sweep.paused"}
    move_sweep(running, SweepStatus.FAILED, now)
    names = Delivery.objects.filter(event="sweep.failed").values_list("channel__name", flat=True)
    assert sorted(names) == ["all", "breaks", "ends"]
    assert told(channel__name="off") == told(channel__name="best") == []


def test_other_workspaces_and_dry_runs_are_not_told(running, channel, charlie, now):
    foreign = charlie.workspaces.get()
    Channel.objects.update(workspace=foreign)
    move_sweep(running, SweepStatus.COMPLETED, now)
    assert told() == []
    Channel.objects.update(workspace=running.workspace)
    move_sweep(running, SweepStatus.RUNNING, now)
    Sweep.objects.update(is_dry_run=True)
    move_sweep(running, SweepStatus.COMPLETED, now)
    assert told() == []


def test_archived_workspaces_are_not_told_until_they_are_back(running, channel, workspace, now):
    archive_workspace(workspace, now)
    move_sweep(running, SweepStatus.FAILED, now)
    assert told() == []
    restore_workspace(workspace)
    move_sweep(running, SweepStatus.RUNNING, now)
    move_sweep(running, SweepStatus.FAILED, now)
    assert told() == ["sweep.failed"]


def test_what_is_rolled_back_is_not_told(running, channel, now):
    def end_and_fail():
        with transaction.atomic():
            move_sweep(running, SweepStatus.COMPLETED, now)
            assert told() == ["sweep.completed"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        end_and_fail()
    assert told() == []
    assert Sweep.objects.get().status == "Running"


def test_a_notice_that_cannot_be_written_keeps_no_sweep_from_its_end(
    running, channel, now, monkeypatch
):
    def broken(*_):
        Channel.objects.create(workspace=running.workspace, kind="no such kind")

    monkeypatch.setattr(notices, "payload_of", broken)
    assert move_sweep(running, SweepStatus.COMPLETED, now)
    assert Sweep.objects.get().status == "Completed"
    assert told() == []


def test_a_deleted_sweeps_notice_is_sent_all_the_same(running, channel, now):
    move_sweep(running, SweepStatus.COMPLETED, now)
    delete_sweep(running, now)
    [row] = Delivery.objects.all()
    assert (row.sweep, row.payload["data"]["sweep"]) == (None, running.name)


# --- New bests ----------------------------------------------------------------------------------
def test_a_trial_that_ends_as_the_best_is_told(running, channel, now):
    first, second = start(running, now), start(running, now)
    end(first, 0.5)
    end(second, 0.6)
    [row] = Delivery.objects.all()
    assert (row.event, row.payload["data"]["best"]["value"]) == ("sweep.new_best", 0.5)
    assert row.payload["data"]["best"]["params"] == first.trial.flat_params


@pytest.mark.parametrize(("goal", "other", "is_told"), [
    ("minimize", 0.4, True), ("minimize", 0.5, False), ("maximize", 0.6, True),
    ("maximize", 0.4, False),
])  # fmt: skip
def test_only_what_is_better_is_a_new_best(make_sweep, channel, now, goal, other, is_told):
    sweep = make_sweep(objective=Objective("loss", Goal(goal)))
    sweeps.advance(sweep.pk, now)
    second, first = start(sweep, now), start(sweep, now)
    end(first, 0.5)
    Delivery.objects.all().delete()
    end(second, other)
    assert told() == (["sweep.new_best"] if is_told else [])


def test_who_failed_or_said_nothing_is_no_best(running, channel, now):
    end(start(running, now), 0.5, outcome=Outcome(Ending.EXIT, exit_code=1))
    end(start(running, now))
    assert told() == []


def test_the_last_values_of_a_trial_that_completed_though_it_was_to_stop_count(
    running, channel, now
):
    first, second = start(running, now), start(running, now)
    end(first, 0.5)
    Delivery.objects.all().delete()
    metrics.record(second, LOSS, [Value("loss", 0.9, 0, 1)], [], now=now)
    running.trials.filter(pk=second.trial_id).update(desired=Desired.TERMINATE_EARLY)
    end(second, 0.1)
    assert told() == ["sweep.new_best"]


def improve(sweep, value, now):
    """A trial more, that is better than all."""
    sweeps.advance(sweep.pk, now)
    end(start(sweep, now), value, now=now)


def test_new_bests_are_told_once_a_minute_and_the_latest_counts(make_sweep, channel, now):
    sweep = make_sweep()
    Sweep.objects.update(max_total_trials=20)
    sweep.refresh_from_db()
    improve(sweep, 0.9, now)
    [first] = Delivery.objects.all()
    sent = notices.claim(first.pk, now)
    notices.mark_sent(sent, "204", now)
    for number in range(1, 4):
        improve(sweep, 0.9 - number / 10, now + timedelta(seconds=number))
    [row] = Delivery.objects.filter(state="waiting")
    assert row.due_at == now + timedelta(minutes=1)
    assert row.payload["data"]["best"]["value"] == pytest.approx(0.6)
    later = row.due_at + timedelta(seconds=90)
    notices.mark_sent(notices.claim(row.pk, later), "204", later)
    improve(sweep, 0.1, later + timedelta(minutes=5))
    [row] = Delivery.objects.filter(state="waiting")
    assert row.due_at == later + timedelta(minutes=5)


def test_a_best_that_could_not_be_told_gives_way_to_a_later_one(make_sweep, channel, now):
    sweep = make_sweep()
    improve(sweep, 0.9, now)
    trying = notices.claim(Delivery.objects.get().pk, now)
    improve(sweep, 0.8, now)
    notices.put_off(trying, "away", now)
    improve(sweep, 0.7, now)
    [row] = Delivery.objects.all()
    assert row.payload["data"]["best"]["value"] == 0.7
    assert row.uid != trying.uid


def test_a_late_answer_to_a_best_that_was_replaced_changes_nothing(make_sweep, channel, now):
    sweep = make_sweep()
    improve(sweep, 0.9, now)
    trying = notices.claim(Delivery.objects.get().pk, now)
    notices.put_off(trying, "away", now)
    improve(sweep, 0.8, now)
    notices.mark_sent(trying, "204", now)
    assert Delivery.objects.get().state == "waiting"


def test_the_end_tells_the_best_too(make_sweep, channel, now):
    sweep = make_sweep()
    improve(sweep, 0.9, now)
    notices.mark_sent(notices.claim(Delivery.objects.get().pk, now), "204", now)
    improve(sweep, 0.8, now)
    sweep.refresh_from_db()
    control.pause_sweep(sweep, actor="s", now=now, by=PausedBy.BREAKER)
    assert told(state="waiting") == ["sweep.new_best", "sweep.paused"]
    move_sweep(sweep, SweepStatus.COMPLETED, now)
    assert told(state="waiting") == ["sweep.paused", "sweep.completed"]


# --- What it costs ------------------------------------------------------------------------------
def test_reports_never_ask_and_ends_ask_once_when_nobody_listens(running, now):
    attempt = start(running, now)
    with CaptureQueriesContext(connection) as asked:
        metrics.record(attempt, LOSS, [Value("loss", 0.5, 0, 1)], [], now=now)
    assert not [query for query in asked if "channel" in query["sql"]]
    with CaptureQueriesContext(connection) as asked:
        trials.finish(attempt, DONE, peak_memory=None, now=now)
    assert len([query for query in asked if "channel" in query["sql"]]) == 1
    assert not [query for query in asked if "delivery" in query["sql"]]


# --- Trying -------------------------------------------------------------------------------------
def test_waits_grow_to_an_hour_and_follow_the_receivers_wish():
    waits = [wait_before(tries).total_seconds() for tries in (1, 2, 3, 9, 10, 500)]
    assert waits == [10, 20, 40, 2560, 3600, 3600]
    assert wait_before(1, 120).total_seconds() == 120
    assert wait_before(1, 10**8).total_seconds() == 3600


def test_a_delivery_is_claimed_once_until_its_sender_is_taken_for_dead(running, channel, now):
    move_sweep(running, SweepStatus.COMPLETED, now)
    pk = Delivery.objects.get().pk
    assert notices.claim(pk, now - timedelta(seconds=1)) is None
    dead = notices.claim(pk, now)
    assert notices.claim(pk, now) is None
    heir = notices.claim(pk, now + notices.LEASE)
    assert heir is not None
    assert heir.uid == dead.uid
    notices.put_off(dead, "too late to say", now)
    assert Delivery.objects.get().state == "sending"
    notices.mark_sent(heir, "204", now)
    assert Delivery.objects.get().state == "sent"


def test_trying_ends_after_a_day_and_begins_anew_when_asked(running, channel, now):
    move_sweep(running, SweepStatus.COMPLETED, now)
    moment, row = now, Delivery.objects.get()
    while row.state == "waiting":
        moment = row.due_at
        notices.put_off(notices.claim(row.pk, moment), "away", moment)
        row.refresh_from_db()
    assert timedelta(hours=23) < moment - now <= timedelta(hours=24)
    assert (row.state, row.answer, row.tries > 24) == ("failed", "away", True)
    assert notices.try_again(row, moment)
    row.refresh_from_db()
    assert (row.state, row.tries, row.due_at) == ("waiting", 0, moment)
    notices.mark_sent(notices.claim(row.pk, moment), "204", moment)
    assert not notices.try_again(row, moment)


def test_old_ones_are_forgotten_what_waits_is_not(running, channel, now):
    move_sweep(running, SweepStatus.COMPLETED, now)
    move_sweep(running, SweepStatus.RUNNING, now)
    notices.mark_sent(notices.claim(Delivery.objects.get().pk, now), "204", now)
    move_sweep(running, SweepStatus.FAILED, now)
    notices.forget_old(now + timedelta(days=29))
    assert told() == ["sweep.completed", "sweep.failed"]
    notices.forget_old(now + timedelta(days=31))
    assert told() == ["sweep.failed"]


# --- Words --------------------------------------------------------------------------------------
def test_other_changes_of_status_are_nobodys_news():
    assert event_of(SweepStatus.RUNNING, "") is None
    assert event_of(SweepStatus.STOPPING, "") is None
    assert event_of(SweepStatus.PAUSED, PausedBy.PERSON) is None


@pytest.mark.parametrize("url", [
    "ftp://x.org/", "x.org", "https://", "https://u:p@x.org/", "http://127.1/", "http://[::1]/",
    "http://localhost:80/", "http://10.0.0.1/", "https://x.org/a b", "https://[x", "http://x:y/",
    "https://ö.org/", "javascript:alert(1)", "http://169.254.169.254/latest",
])  # fmt: skip
def test_addresses_that_cannot_be_told_are_refused(url):
    assert web_address_problem(url, private=False)


def test_addresses_of_the_own_network_are_allowed_when_the_studio_is_told_so():
    assert web_address_problem("http://10.0.0.1:9/x", private=True) is None
    assert web_address_problem("https://hooks.slack.com/services/T/B/x", private=False) is None
