"""Computes: the list with its lanes and queue, the form, test and delete."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from huey.contrib.djhuey import HUEY

from studio.models import Compute
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries import compute_load, machine
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
    return Attempt.objects.create(
        trial=trial, number=number, spool=f"/spool/{trial.pk}.{number}", started_at=start,
        created_at=start, ended_at=end, token_digest=f"{trial.pk}.{number}",
    )  # fmt: skip


def lanes_of(compute, now):
    attempts = compute_load.recent_attempts([compute], now)
    window = compute_load.window_of(attempts, now)
    [load] = compute_load.loads([compute], attempts, window, now)
    return load


# --- the list -----------------------------------------------------------------------------------
def test_the_list_shows_slots_gauges_and_an_empty_queue(owner):
    page = owner.get(URL).content.decode()
    assert "0 of 2 slots in use" in page
    assert page.count('<div class="lane">') == 2
    assert "Nothing waits for a slot." in page
    assert "Memory" in page


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
    assert [[bar.trial.number for bar in lane.bars] for lane in load.lanes] == [[0, 2], [1]]
    assert [lane.holder for lane in load.lanes] == [third, None]
    assert load.used == 1
    bar = load.lanes[0].bars[0]
    assert (bar.start, bar.end) == (50.0, 75.0)  # of four minutes


def test_trials_beyond_the_slots_are_still_drawn(compute, sweep, now):
    Compute.objects.update(slots=1)
    compute.refresh_from_db()
    add_trials(sweep, ("Running", None), ("Running", None))
    for trial in Trial.objects.all():
        attempt(trial, now - timedelta(minutes=1))
    assert [len(lane.bars) for lane in lanes_of(compute, now).lanes] == [1, 1]


def test_the_window_grows_to_hold_what_runs(compute, sweep, now):
    add_trials(sweep, ("Running", None))
    trial = Trial.objects.get()
    for minutes, window in ((3, 4), (6, 8), (15, 20), (600, 20)):
        Attempt.objects.all().delete()
        attempt(trial, now - timedelta(minutes=minutes))
        found = compute_load.window_of(compute_load.recent_attempts([compute], now), now)
        assert found == timedelta(minutes=window)


def test_attempts_that_ended_before_the_window_are_left_out(compute, sweep, now):
    add_trials(sweep, ("Completed", 1.0))
    attempt(Trial.objects.get(), now - timedelta(hours=2), now - timedelta(hours=1))
    assert compute_load.recent_attempts([compute], now) == []


def test_an_earlier_attempt_of_a_trial_is_shown_as_lost(compute, sweep, now):
    add_trials(sweep, ("Running", None))
    Trial.objects.update(attempt=2)
    trial = Trial.objects.get()
    minute = timedelta(minutes=1)
    attempt(trial, now - 3 * minute, now - 2 * minute, number=1)
    attempt(trial, now - minute, number=2)
    [bars, _] = [lane.bars for lane in lanes_of(compute, now).lanes]
    assert [bar.status for bar in bars] == [TrialStatus.LOST, TrialStatus.RUNNING]


def test_the_queue_names_next_trial_and_how_many_follow(sweep, workspace, now):
    add_trials(sweep, ("Completed", 1.0), ("Queued", None))
    Sweep.objects.update(status=SweepStatus.RUNNING, planned=2)
    [row] = compute_load.waiting(workspace, now)
    assert (row.number, row.more) == (1, 2)
    Sweep.objects.update(exhausted=True)
    [row] = compute_load.waiting(workspace, now)
    assert (row.number, row.more) == (1, 0)


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


def test_a_poll_gets_the_live_part_alone(owner):
    text = owner.get(URL, **HTMX).content.decode()
    assert text.startswith('<div id="computes"')
    assert "<html" not in text


def test_the_machine_says_plausible_numbers(tmp_path):
    found = machine.machine(tmp_path)
    assert 0 <= found.cpu_percent <= 100
    assert 0 < found.memory_used < found.memory_total
    assert 0 < found.disk_percent < 100


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
