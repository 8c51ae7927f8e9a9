"""The list of sweeps: what its rows say, its filters, its polls, its cost."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries import lists
from sweeps.queries.waiting import why_sweep

URL = "/w/default/sweeps/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def rita_client(client, rita):
    client.force_login(rita)
    return client


def add_trials(sweep, *trials, start=0):
    """Trials from (status, objective), ten seconds each."""
    now = sweep.created_at
    for number, (status, value) in enumerate(trials, start=start):
        ended = now + timedelta(seconds=10) if TrialStatus(status).is_final else None
        Trial.objects.create(
            sweep=sweep, number=number, status=status, objective=value, started_at=now,
            ended_at=ended,
        )  # fmt: skip


def row_of(sweep, now):
    [row] = lists.rows([lists.listed(Sweep.objects.filter(pk=sweep.pk)).get()], now)
    return row


def names(page):
    return re.findall(r'<tr id="sweep-(\d+)"', page.content.decode())


def test_an_empty_list_offers_the_example_to_whoever_may_run_it(client, alice, rita, compute):
    client.force_login(alice)
    assert "Run the iris LightGBM example" in client.get(URL).content.decode()
    client.force_login(rita)
    page = client.get(URL).content.decode()
    assert "Sweeps of this workspace will stand here" in page
    assert "Run the iris LightGBM example" not in page


def test_a_row_shows_status_progress_best_and_objective(rita_client, sweep):
    Sweep.objects.filter(pk=sweep.pk).update(
        status=SweepStatus.RUNNING, started_at=sweep.created_at, display_name="first try"
    )
    add_trials(sweep, ("Completed", 0.5), ("Completed", 0.25), ("Failed", 0.1), ("Running", None))
    page = rita_client.get(URL).content.decode()
    assert "first try" in page
    assert sweep.name in page
    assert "<b>3</b> / 4" in page
    assert ">0.250000<" in page
    assert "Best loss so far: from 0.500000 to 0.250000." in page


def test_only_trials_that_beat_all_before_them_are_records(another_sweep, now):
    sweep = another_sweep()
    add_trials(
        sweep, ("Completed", 3.0), ("Completed", 4.0), ("Failed", 0.5), ("EarlyTerminated", 2.0),
        ("Completed", 2.0), ("Completed", 1.5), ("Running", 0.1),
    )  # fmt: skip
    assert row_of(sweep, now).records == ((0, 3.0), (3, 2.0), (5, 1.5))


def test_records_of_a_maximized_objective_grow(another_sweep, now):
    sweep = another_sweep(objective=Objective("auc", Goal.MAXIMIZE))
    add_trials(sweep, ("Completed", 0.5), ("Completed", 0.4), ("Completed", 0.9))
    row = row_of(sweep, now)
    assert row.records == ((0, 0.5), (2, 0.9))
    assert row.best == 0.9


def test_active_sweeps_come_first_then_the_newest_start(rita_client, another_sweep, now):
    old, done, running = another_sweep(), another_sweep(), another_sweep()
    for sweep, status, minutes in (
        (old, SweepStatus.COMPLETED, 0),
        (done, SweepStatus.FAILED, 5),
        (running, SweepStatus.RUNNING, 1),
    ):
        Sweep.objects.filter(pk=sweep.pk).update(
            status=status, started_at=now + timedelta(minutes=minutes)
        )
    found = names(rita_client.get(URL))
    assert found == [str(running.pk), str(done.pk), str(old.pk)]


def test_a_queued_sweep_says_who_holds_the_slots(another_sweep, now):
    busy, waiting = another_sweep(), another_sweep()
    Sweep.objects.filter(pk=busy.pk).update(display_name="busy", status=SweepStatus.RUNNING)
    add_trials(busy, ("Running", None), ("Running", None))
    assert row_of(waiting, now).reason == (
        "Waiting for a slot on local: its 2 are taken by busy (2)."
    )


@pytest.mark.parametrize(
    ("own", "changes", "why"),
    [
        (0, {}, "Starts in a moment."),
        (2, {}, "Its limit of 2 at the same time is reached."),
        (2, {"max_concurrent_trials": 5}, "This sweep uses all 2 slots of local itself."),
        (0, {"desired": Desired.PAUSE}, "Paused: trials that run finish, none start until"),
    ],
)
def test_why_the_next_trial_waits(another_sweep, now, own, changes, why):
    sweep = another_sweep()
    add_trials(sweep, *[("Running", None)] * own)
    Sweep.objects.filter(pk=sweep.pk).update(**changes)
    assert why_sweep(Sweep.objects.get(), now).startswith(why)


def test_filters_by_status_and_text_stand_in_the_address(rita_client, another_sweep):
    kept, other = another_sweep(tags={"team": "vision"}), another_sweep()
    Sweep.objects.filter(pk=kept.pk).update(status=SweepStatus.COMPLETED)
    assert names(rita_client.get(URL, {"status": "completed"})) == [str(kept.pk)]
    assert names(rita_client.get(URL, {"status": "active"})) == [str(other.pk)]
    assert names(rita_client.get(URL, {"q": "VISION"})) == [str(kept.pk)]
    assert names(rita_client.get(URL, {"q": other.name})) == [str(other.pk)]
    assert len(names(rita_client.get(URL, {"q": "loss"}))) == 2


def test_filtered_to_nothing_offers_to_clear(rita_client, sweep):
    page = rita_client.get(URL, {"q": "no such thing"}).content.decode()
    assert "No sweep here matches these filters." in page
    assert f'href="{URL}">Clear the filters' in page


def test_an_unknown_status_shows_all(rita_client, sweep):
    assert names(rita_client.get(URL, {"status": "nonsense"})) == [str(sweep.pk)]


def test_the_list_is_paged_and_keeps_its_filter(rita_client, another_sweep):
    for _ in range(lists.PAGE_SIZE + 1):
        another_sweep()
    first = rita_client.get(URL, {"q": "loss"})
    assert len(names(first)) == lists.PAGE_SIZE
    assert 'rel="next" href="/w/default/sweeps/?q=loss&amp;page=2"' in first.content.decode()
    second = rita_client.get(URL, {"q": "loss", "page": "2"})
    assert len(names(second)) == 1
    assert "26–26 of 26" in second.content.decode()


def test_dry_runs_are_not_listed(rita_client, sweep):
    Sweep.objects.update(is_dry_run=True)
    assert names(rita_client.get(URL)) == []


def poll_url(page):
    return re.search(r'hx-get="([^"]+rev=[^"]+)"', page.content.decode())[1].replace("&amp;", "&")


def test_a_poll_is_204_until_something_changed_then_the_rows_alone(rita_client, sweep):
    url = poll_url(rita_client.get(URL))
    assert rita_client.get(url, **HTMX).status_code == 204
    Sweep.objects.filter(pk=sweep.pk).update(revision=sweep.revision + 1)
    answer = rita_client.get(url, **HTMX)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert text.startswith('<div id="sweep-rows"')
    assert 'id="sweep-statuses"' in text
    assert "hx-swap-oob" in text
    assert "<html" not in text
    assert "HX-Request" in answer["Vary"]


def test_a_new_sweep_changes_the_revision(rita_client, another_sweep):
    another_sweep()
    url = poll_url(rita_client.get(URL))
    another_sweep()
    assert rita_client.get(url, **HTMX).status_code == 200


def test_nothing_polls_once_every_sweep_has_ended(rita_client, sweep):
    assert "every 3s" in rita_client.get(URL).content.decode()
    Sweep.objects.update(status=SweepStatus.COMPLETED)
    assert "every 3s" not in rita_client.get(URL).content.decode()


def test_a_restored_page_is_whole(rita_client, sweep):
    page = rita_client.get(URL, **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<html" in page.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_page(rita_client, another_sweep):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            rita_client.get(URL)
        return len(captured)

    def fill(count):
        for _ in range(count):
            add_trials(another_sweep(), ("Completed", 0.5), ("Running", None), ("Queued", None))

    fill(1)
    one = cost()
    fill(lists.PAGE_SIZE - 1)
    assert cost() <= one


def test_strangers_and_visitors_do_not_see_the_list(client, charlie, sweep):
    assert client.get(URL).status_code == 302
    client.force_login(charlie)
    assert client.get(URL).status_code == 404
    assert client.get("/w/nowhere/sweeps/").status_code == 404


def test_the_list_is_only_read(rita_client, sweep):
    assert rita_client.post(URL).status_code == 405
