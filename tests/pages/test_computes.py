"""Computes: the list with its lanes and queue, the form, test and delete."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from huey.contrib.djhuey import HUEY

from studio.models import Compute
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries import compute_load, lanes
from tests.pages.test_lists import add_trials

URL = "/w/default/computes/"
LOCAL = f"{URL}local/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def owner(client, alice, compute):
    client.force_login(alice)
    return client


def fields(**changes):
    given = {"name": "box", "slots": "3", "python": "", "description": ""}
    return given | {"environment_variables-name": [], "environment_variables-value": []} | changes


def attempt(trial, start, end=None, number=1):
    Trial.objects.filter(pk=trial.pk, attempt=0).update(attempt=number)
    if TrialStatus(trial.status).is_final:
        Trial.objects.filter(pk=trial.pk).update(started_at=start, ended_at=end)
    return Attempt.objects.create(
        trial=trial, number=number, spool=f"/spool/{trial.pk}.{number}", started_at=start,
        created_at=start, ended_at=end, token_digest=f"{trial.pk}.{number}",
    )  # fmt: skip


def lanes_of(compute, now, span=""):
    [load] = lanes.lanes_of([compute], now, span)
    return load


def numbers(load):
    return [[piece.trial.number for piece in lane.pieces] for lane in load.lanes]


# --- the list -----------------------------------------------------------------------------------
def test_the_pages_line_and_its_head_count_the_same_slots(owner, make_sweep):
    # Made up: it runs, without an attempt that is open.
    add_trials(make_sweep(), (TrialStatus.RUNNING, None))
    page = owner.get(URL).content.decode()
    assert 'title="1 of 2 slots in use"' in page
    assert "1 of 2 slots busy" in page
    assert "0 of 2 slots" not in page


def test_the_list_shows_slots_gauges_and_an_empty_queue(owner):
    page = owner.get(URL).content.decode()
    assert "0 of 2 slots in use" in page
    assert page.count('<div class="lane">') == 2
    assert "Nothing waits for a slot." in page
    assert all(name in page for name in ("CPU", "Memory", "Disk of the studio"))
    assert "GPU" not in page


def test_a_workspace_without_computes_asks_for_one(client, alice, rita):
    client.force_login(alice)
    assert 'href="/w/default/computes/new">Add compute' in client.get(URL).content.decode()
    client.force_login(rita)
    page = client.get(URL).content.decode()
    assert "An owner of this workspace can add one." in page
    assert "computes/new" not in page


def test_running_trials_hold_a_lane_each_and_the_next_one_says_why_it_waits(owner, sweep):
    add_trials(sweep, ("Running", None), ("Running", None))
    Sweep.objects.update(status=SweepStatus.RUNNING, planned=2, display_name="busy")
    for trial in Trial.objects.all():
        attempt(trial, timezone.now() - timedelta(minutes=1))
    page = owner.get(URL).content.decode()
    assert "2 of 2 slots in use" in page
    assert f'href="/w/default/sweeps/{sweep.name}/trials/1/"' in page
    assert "Its limit of 2 at the same time is reached." in page
    assert "and 1 more" in page


def test_trials_that_follow_each_other_share_a_lane(compute, sweep, now):
    add_trials(sweep, ("Completed", 1.0), ("Completed", 1.0), ("Running", None))
    first, second, third = Trial.objects.order_by("number")
    at = [now - timedelta(seconds=s) for s in (120, 100, 60, 30)]
    attempt(first, at[0], at[2])
    attempt(second, at[1], at[3])
    attempt(third, at[2])
    load = lanes_of(compute, now)
    assert numbers(load) == [[0, 2], [1]]
    assert [lane.holder for lane in load.lanes] == [third, None], "and the other is free"
    assert load.used == 1
    piece = load.lanes[0].pieces[0]
    assert (piece.start, piece.end) == (60.0, 80.0)  # of five minutes


def test_a_trial_keeps_its_lane_when_its_neighbour_leaves_the_picture(compute, sweep, now):
    add_trials(sweep, *[("Completed", 1.0)] * 2)
    first, second = Trial.objects.order_by("number")
    attempt(first, now - timedelta(seconds=100), now - timedelta(seconds=9))
    attempt(second, now - timedelta(seconds=10), now)
    assert numbers(lanes_of(compute, now, "5m")) == [[0], [1]]
    assert numbers(lanes_of(compute, now + timedelta(seconds=292), "5m")) == [[], [1]]


def test_trials_beyond_the_slots_are_still_drawn(compute, sweep, now):
    Compute.objects.update(slots=1)
    compute.refresh_from_db()
    add_trials(sweep, ("Running", None), ("Running", None))
    for trial in Trial.objects.all():
        attempt(trial, now - timedelta(minutes=1))
    assert numbers(lanes_of(compute, now)) == [[0], [1]]


def test_the_span_grows_to_hold_what_runs_and_may_be_chosen(compute, sweep, now):
    add_trials(sweep, ("Running", None))
    trial = Trial.objects.get()
    for minutes, span in ((3, "5m"), (6, "20m"), (40, "1h"), (600, "4h")):
        Attempt.objects.all().delete()
        attempt(trial, now - timedelta(minutes=minutes))
        assert lanes_of(compute, now).span == lanes.SPANS[span]
    assert lanes_of(compute, now, "1h").span == timedelta(hours=1)


def test_a_busy_compute_shows_the_last_minutes_only(compute, sweep, now):
    add_trials(sweep, *[("Completed", 1.0)] * 20)
    for minute, trial in enumerate(Trial.objects.order_by("-number")):
        start = now - timedelta(minutes=2 + minute)
        attempt(trial, start, start + timedelta(seconds=50))
    assert lanes_of(compute, now).span == timedelta(minutes=20)  # not the hour that holds all


def test_attempts_that_ended_before_the_longest_span_are_left_out(compute, sweep, now):
    add_trials(sweep, ("Completed", 1.0))
    attempt(Trial.objects.get(), now - timedelta(hours=6), now - timedelta(hours=5))
    assert numbers(lanes_of(compute, now)) == [[], []]
    assert lanes_of(compute, now).span == timedelta(minutes=5)


def test_an_earlier_attempt_of_a_trial_is_shown_as_lost(compute, sweep, now):
    add_trials(sweep, ("Running", None))
    Trial.objects.update(attempt=2)
    trial = Trial.objects.get()
    minute = timedelta(minutes=1)
    attempt(trial, now - 3 * minute, now - 2 * minute, number=1)
    attempt(trial, now - minute, number=2)
    pieces = lanes_of(compute, now).lanes[0].pieces
    assert [piece.status for piece in pieces] == [TrialStatus.LOST, TrialStatus.RUNNING]


def test_what_is_too_short_to_be_seen_is_drawn_together_but_never_the_best(
    owner, compute, sweep, now
):
    add_trials(sweep, *[("Completed", 1.0 + n) for n in range(9)], ("Failed", None))
    Trial.objects.filter(number=8).update(objective=0.5)
    Trial.objects.update(attempt=1)
    now = timezone.now()
    for trial in Trial.objects.order_by("number"):
        start = now - timedelta(seconds=20 - trial.number)
        attempt(trial, start, start + timedelta(seconds=1))
    load = lanes_of(compute, now, "20m")
    assert [len(piece.attempts) for piece in load.lanes[0].pieces] == [8, 1, 1]
    assert [piece.is_best for piece in load.lanes[0].pieces] == [False, True, False]
    page = owner.get(URL, {"span": "20m"}).content.decode()
    assert "#0 to #7; 8 short trials; 8 completed" in page
    assert f'href="/w/default/sweeps/{sweep.name}/trials/"' in page
    assert "loss 0.500000, best of its sweep" in page


def test_a_lane_says_of_a_trial_how_it_went_and_what_it_took(owner, compute, sweep):
    add_trials(sweep, ("Failed", None))
    hostile = '<b>x</b>; "y"'
    Trial.objects.update(attempt=1, reason="Out of memory.")
    Sweep.objects.update(display_name=hostile)
    now = timezone.now()
    attempt(Trial.objects.get(), now - timedelta(minutes=2), now - timedelta(minutes=1))
    Attempt.objects.update(peak_memory=3 * 2**30)
    page = owner.get(URL).content.decode()
    said = "Failed, 1m 00s; peak memory 3.00 GiB; Out of memory."
    assert f"&lt;b&gt;x&lt;/b&gt;, &quot;y&quot; #0; {said}" in page
    table = owner.get(URL, {"as": "table"}).content.decode()
    assert "3.00 GiB" in table
    assert "lane-track" not in table
    assert "Show as lanes" in table


def test_the_queue_names_next_trial_and_how_many_follow(sweep, workspace, now):
    add_trials(sweep, ("Completed", 1.0), ("Queued", None))
    Sweep.objects.update(status=SweepStatus.RUNNING, planned=2)
    [row] = compute_load.waiting(workspace, now)
    assert (row.number, row.more) == (1, 2)
    Sweep.objects.update(exhausted=True)
    [row] = compute_load.waiting(workspace, now)
    assert (row.number, row.more) == (1, 0)


def test_the_queue_says_who_comes_next_and_when_a_slot_should_fall_free(another_sweep, now):
    busy, waiting, paused = another_sweep(), another_sweep(), another_sweep()
    Sweep.objects.update(status=SweepStatus.RUNNING, run_id="r")
    Sweep.objects.filter(pk=paused.pk).update(desired="pause", status=SweepStatus.PAUSED)
    add_trials(busy, ("Completed", 1.0), ("Running", None), ("Running", None))
    Trial.objects.filter(number=0).update(
        started_at=now - timedelta(seconds=100), ended_at=now - timedelta(seconds=40)
    )
    for number, ago in ((1, 20), (2, 50)):
        Trial.objects.filter(number=number).update(started_at=now - timedelta(seconds=ago))
    Sweep.objects.filter(pk=busy.pk).update(planned=3)
    rows = compute_load.waiting(busy.workspace, now)
    assert [row.sweep for row in rows] == [waiting, busy, paused]
    assert [row.place for row in rows] == [1, 2, None]
    # Trials took a minute: the one of 50 s makes room first.
    assert [row.expected_s for row in rows] == [10.0, 40.0, None]
    assert [row.is_at_limit for row in rows] == [False, True, False]


def test_the_queue_offers_what_helps(owner, client, rita, sweep):
    Sweep.objects.update(status=SweepStatus.PAUSED, desired="pause", paused_by="breaker")
    resume = f'action="/w/default/sweeps/{sweep.name}/resume"'
    assert resume in owner.get(URL).content.decode()
    Sweep.objects.update(paused_by="disk")
    page = owner.get(URL).content.decode()
    assert resume not in page
    assert "when there is room" in page
    Sweep.objects.update(paused_by="person")
    client.force_login(rita)
    assert resume not in client.get(URL).content.decode()


def test_ended_canceled_and_fully_started_sweeps_wait_for_nothing(sweep, workspace, now):
    for changes in (
        {"status": SweepStatus.COMPLETED},
        {"status": SweepStatus.RUNNING, "desired": "cancel"},
        {"status": SweepStatus.RUNNING, "desired": "run", "planned": 4},
    ):
        Sweep.objects.update(**changes)
        assert compute_load.waiting(workspace, now) == []


def test_the_list_costs_as_many_queries_for_many_trials(
    owner, another_sweep, django_assert_max_num_queries
):
    def fill(count):
        for _ in range(count):
            sweep = another_sweep()
            add_trials(sweep, ("Running", None), ("Queued", None))
            attempt(sweep.trials.get(number=0), timezone.now())

    fill(1)
    with django_assert_max_num_queries(40) as first:
        owner.get(URL)
    fill(8)
    with django_assert_max_num_queries(len(first)):
        owner.get(URL)


def test_a_poll_gets_the_parts_that_move_and_the_next_time(owner, client, charlie):
    page = owner.get(URL).content.decode()
    answer = owner.get(f"{URL}live", {"span": "1h", "since": "0", "tab": "computes"})
    news = answer.json()
    assert news["retry_ms"] == 3000
    for key, html in news["fragments"].items():
        assert f'id="{key}"' in page
        assert "<html" not in html
    assert 'href="?span=1h" aria-current="true"' in news["fragments"]["computes-lanes"]
    client.force_login(charlie)
    assert client.get(f"{URL}live").status_code == 404


def test_the_page_of_one_compute_shows_its_lanes(owner, client, charlie, sweep):
    add_trials(sweep, ("Running", None))
    attempt(Trial.objects.get(), timezone.now() - timedelta(minutes=1))
    assert f'hx-get="{LOCAL}lanes"' in owner.get(LOCAL).content.decode()
    answer = owner.get(f"{LOCAL}lanes")
    html = answer.content.decode()
    assert html.count('<div class="lane">') == 2
    assert f'href="/w/default/sweeps/{sweep.name}/trials/0/"' in html
    assert "<html" not in html
    assert owner.get(f"{URL}nothing/lanes").status_code == 404
    client.force_login(charlie)
    assert client.get(f"{LOCAL}lanes").status_code == 404


# --- the form -----------------------------------------------------------------------------------
def test_an_owner_adds_a_compute_with_environment_variables(owner):
    variables = {
        "environment_variables-name": ["A", "", "B_2"],
        "environment_variables-value": ["1", "", "x y"],
    }
    answer = owner.post(f"{URL}new", fields(**variables, is_default="on"))
    assert answer["Location"] == URL
    box = Compute.objects.get(name="box")
    assert box.environment_variables == {"A": "1", "B_2": "x y"}
    assert box.slots == 3
    assert [row.name for row in Compute.objects.filter(is_default=True)] == ["box"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "local"}, "There is a compute “local” already."),
        ({"name": "LOCAL"}, "There is a compute “LOCAL” already."),
        ({"name": "a/b"}, "Use lower-case letters"),
        ({"slots": "0"}, "Write a whole number from 1 to 1,000."),
        ({"slots": "1001"}, "Write a whole number from 1 to 1,000."),
        ({"slots": "many"}, "Write a whole number from 1 to 1,000."),
        ({"python": "python3"}, "Write the full path, beginning with /, but got “python3”."),
        ({"python": "/no/such/python"}, "There is no file /no/such/python on this machine."),
        ({"python": "/etc/passwd"}, "/etc/passwd cannot be run"),
        (
            {"environment_variables-name": ["1X"], "environment_variables-value": ["v"]},
            "“1X” cannot be a name",
        ),
        (
            {"environment_variables-name": [""], "environment_variables-value": ["lonely"]},
            "The value “lonely” has no name.",
        ),
        (
            {"environment_variables-name": [""], "environment_variables-value": ["v" * 900]},
            f"The value “{'v' * 59}…” has no name.",
        ),
        (
            {"environment_variables-name": ["A", "A"], "environment_variables-value": ["1", "2"]},
            "“A” is there twice.",
        ),
    ],
)
def test_a_wrong_field_is_said_there_and_everything_typed_stays(owner, changes, message):
    answer = owner.post(f"{URL}new", fields(description="Fast one", **changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert message in page
    assert "Fast one" in page
    for value in changes.values():
        for typed in [value] if isinstance(value, str) else value:
            assert typed in page
    assert Compute.objects.count() == 1


def test_a_compute_is_changed_and_keeps_its_place(owner, compute):
    page = owner.get(LOCAL).content.decode()
    assert 'value="local"' in page
    answer = owner.post(LOCAL, fields(name="local", slots="7", is_default="on"))
    assert answer["Location"] == URL
    compute.refresh_from_db()
    assert (compute.slots, compute.is_default) == (7, True)


def test_one_more_row_for_a_variable(owner):
    row = owner.get(f"{URL}-/variable").content.decode()
    assert row.count('name="environment_variables-name"') == 1


def test_another_compute_becomes_the_default(owner, workspace, compute):
    Compute.objects.create(workspace=workspace, name="box")
    assert owner.post(f"{URL}box/default")["Location"] == URL
    assert list(Compute.objects.filter(is_default=True).values_list("name", flat=True)) == ["box"]


# --- delete -------------------------------------------------------------------------------------
def test_a_compute_without_sweeps_is_deleted_and_another_is_the_default(owner, workspace):
    Compute.objects.create(workspace=workspace, name="box")
    page = owner.post(f"{LOCAL}delete", follow=True).content.decode()
    assert "The compute “local” is deleted. “box” is the default now." in page
    assert Compute.objects.get().is_default


def test_deleting_asks_first(owner):
    assert "It is the default" in owner.get(LOCAL).content.decode()


def test_a_compute_with_sweeps_stays_and_says_how_many(owner, another_sweep):
    another_sweep()
    another_sweep()
    page = owner.post(f"{LOCAL}delete", follow=True).content.decode()
    assert "“local” cannot be deleted: 2 sweeps ran on it" in page
    assert Compute.objects.count() == 1


# --- test ---------------------------------------------------------------------------------------
def test_testing_wakes_the_queue_and_the_page_polls_the_result(owner, compute):
    HUEY.flush()
    assert owner.post(f"{LOCAL}test")["Location"] == LOCAL
    assert len(HUEY.pending()) == 1
    text = owner.get(f"{LOCAL}test/result").content.decode()
    assert "Testing" in text
    assert "every 1s" in text
    step = {"name": "Interpreter", "ok": True, "detail": "Python 3.12.1"}
    done = {"ok": True, "at": timezone.now().isoformat(), "steps": [step]}
    Compute.objects.update(last_test=done)
    text = owner.get(f"{LOCAL}test/result").content.decode()
    assert "Python 3.12.1" in text
    assert "every 1s" not in text


def test_a_test_that_nobody_answers_stops_polling_and_says_so(owner):
    long_ago = timezone.now() - timedelta(minutes=5)
    Compute.objects.update(last_test={"ok": None, "at": long_ago.isoformat(), "steps": []})
    text = owner.get(f"{LOCAL}test/result").content.decode()
    assert "No answer yet." in text
    assert "every 1s" not in text


def test_htmx_gets_the_test_as_a_fragment(owner):
    text = owner.post(f"{LOCAL}test", **HTMX).content.decode()
    assert text.startswith('<section class="card" id="compute-test"')
    HUEY.flush()


# --- who may ------------------------------------------------------------------------------------
OWNERS_ONLY = [
    ("get", f"{URL}new"), ("post", f"{URL}new"), ("get", LOCAL), ("post", LOCAL),
    ("get", f"{URL}-/variable"), ("post", f"{LOCAL}default"), ("post", f"{LOCAL}delete"),
    ("post", f"{LOCAL}test"), ("get", f"{LOCAL}test/result"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url"), OWNERS_ONLY)
def test_only_owners_manage_computes(client, compute, bob, rita, charlie, method, url):
    before = json.dumps(list(Compute.objects.values("name", "slots", "last_test")))
    for person in (bob, rita, charlie):
        client.force_login(person)
        assert getattr(client, method)(url, fields()).status_code == 404
    assert json.dumps(list(Compute.objects.values("name", "slots", "last_test"))) == before


def test_readers_see_the_list_without_its_tools_and_strangers_nothing(
    client, compute, rita, charlie
):
    client.force_login(rita)
    page = client.get(URL).content.decode()
    assert "local" in page
    assert f"{LOCAL}test" not in page
    client.force_login(charlie)
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize("url", [f"{LOCAL}default", f"{LOCAL}delete", f"{LOCAL}test"])
def test_changes_are_posted(owner, url):
    assert owner.get(url).status_code == 405


def test_what_is_missing_is_missing_for_owners_too(owner):
    assert owner.get(f"{URL}nothing/").status_code == 404
    assert owner.post(URL).status_code == 405


# --- preloading ---------------------------------------------------------------------------------
def test_a_new_compute_preloads_unless_that_is_turned_off(owner):
    page = owner.get(f"{URL}new").content.decode()
    assert 'name="preload"' in page
    owner.post(f"{URL}new", fields(name="warm", preload="on", preload_modules="numpy, sklearn.svm"))
    owner.post(f"{URL}new", fields(name="cold"))
    assert Compute.objects.get(name="warm").preload_modules == "numpy sklearn.svm"
    assert (Compute.objects.get(name="warm").preload, Compute.objects.get(name="cold").preload) == (
        True, False,
    )  # fmt: skip


def test_what_is_no_modules_name_is_told_at_its_field(owner):
    page = owner.post(f"{URL}new", fields(preload="on", preload_modules="numpy ; rm")).content
    assert "“;” is no module’s name" in page.decode()
    assert not Compute.objects.filter(name="box").exists()
