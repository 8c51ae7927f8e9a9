"""The list of sweeps: what its rows say, its filters, its polls, its cost."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import EnvironmentBuild, Sweep, Trial
from sweeps.queries import lists
from sweeps.queries import summaries as queries
from sweeps.queries.summaries import summaries
from sweeps.queries.waiting import why_sweep

URL = "/w/default/sweeps/"


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
    [row] = lists.rows([lists.listed(Sweep.objects.filter(pk=sweep.pk), now).get()], now)
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
    assert f'href="{URL}" data-query>Clear the filters' in page


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


def poll(client, page, **query):
    """What the page would ask for next."""
    around = re.search(r'data-around="(\w+)"', page.content.decode())[1]
    return client.get(f"{URL}live", {"since": "0", "around": around, **query})


def test_a_poll_is_204_until_something_changed_then_the_parts_that_did(rita_client, sweep):
    page = rita_client.get(URL)
    assert poll(rita_client, page).status_code == 204
    Sweep.objects.filter(pk=sweep.pk).update(revision=sweep.revision + 1)
    answer = poll(rita_client, page)
    assert answer.status_code == 200
    news = answer.json()
    assert set(news["fragments"]) >= {"sweep-rows", "sweep-statuses", "sweep-chips", "nav-running"}
    for key, html in news["fragments"].items():
        assert f'id="{key}"' in page.content.decode()
        assert "<html" not in html
    assert f'id="sweep-{sweep.pk}"' in news["fragments"]["sweep-rows"]


def test_a_poll_keeps_to_the_filters_of_the_page(rita_client, another_sweep):
    kept, _ = another_sweep(tags={"team": "vision"}), another_sweep()
    page = rita_client.get(URL, {"tag": "team=vision"})
    assert poll(rita_client, page, tag="team=vision").status_code == 204
    answer = rita_client.get(f"{URL}live", {"since": "-1", "tag": "team=vision"}).json()
    rows = answer["fragments"]["sweep-rows"]
    assert re.findall(r'<tr id="sweep-(\d+)"', rows) == [str(kept.pk)]
    assert "since" not in rows  # what the poll adds stands in no link


def test_a_new_sweep_is_news(rita_client, another_sweep):
    another_sweep()
    page = rita_client.get(URL)
    another_sweep()
    assert poll(rita_client, page).status_code == 200


def test_a_list_at_rest_asks_less_often(rita_client, sweep):
    assert 'data-live-every="3000"' in rita_client.get(URL).content.decode()
    Sweep.objects.update(status=SweepStatus.COMPLETED)
    assert 'data-live-every="15000"' in rita_client.get(URL).content.decode()


# --- tags and order -----------------------------------------------------------------------------
HOSTILE = ['a"b', "it's", "x.y", "$", "a b", "ü__gt", "0", "a[0]", "%", "<b>"]


@pytest.mark.parametrize("tag", HOSTILE)
def test_a_tag_is_found_by_name_and_by_value_whatever_its_name(another_sweep, tag):
    one, two, _ = another_sweep(tags={tag: "1"}), another_sweep(tags={tag: ""}), another_sweep()

    def found(words):
        return set(lists.tagged(Sweep.objects.all(), words))

    assert found(tag) == {one, two}
    assert found(f"{tag}=1") == {one}
    assert found(f"{tag}=") == {two}
    assert found(f"{tag}=2") == set()
    assert lists.tags_of(Sweep.objects.all()) == [(tag, 1), (f"{tag}=1", 1)]


def test_tags_of_rows_and_of_the_menu_filter_and_chips_undo_it(rita_client, another_sweep):
    kept, _ = another_sweep(tags={"team": "a&b", "old": ""}), another_sweep()
    page = rita_client.get(URL)
    address = f"{URL}?tag=team%3Da%26b"
    assert f'href="{address}"' in page.content.decode()
    assert f'href="{URL}?tag=team=a%26b" data-query' in page.content.decode()
    filtered = rita_client.get(URL, {"tag": "team=a&b", "status": "active"})
    assert names(filtered) == [str(kept.pk)]
    html = filtered.content.decode()
    assert f'href="{URL}?status=active" data-query aria-label="Drop this filter: tag' in html
    assert "1 shown" in html
    assert names(rita_client.get(URL, {"tag": "nothing"})) == []


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", "bca"), ("-name", "acb"), ("best", "acb"), ("-best", "cab"),
        ("started", "abc"), ("-started", "cba"), ("duration", "bac"), ("-trials", "cba"),
        ("nonsense", "cba"), ("", "cba"),
    ],
)  # fmt: skip
def test_the_list_is_sorted_by_the_server(another_sweep, now, sort, order):
    rows = {"a": ("zebra", 0.1, 20), "b": ("Alpha", None, 10), "c": ("middle", 0.9, 30)}
    for minute, (key, (label, value, seconds)) in enumerate(rows.items()):
        sweep = another_sweep(tags={"key": key})
        start = now + timedelta(minutes=minute)
        Sweep.objects.filter(pk=sweep.pk).update(
            display_name=label, started_at=start, ended_at=start + timedelta(seconds=seconds),
            planned=minute, status=SweepStatus.COMPLETED,
        )  # fmt: skip
        add_trials(sweep, ("Completed", value), ("Failed", 0.0))
    found = lists.listed(Sweep.objects.all(), now, sort)
    # Without a value of what is sorted by: last, either way round.
    assert "".join(sweep.tags["key"] for sweep in found) == order


def test_heads_sort_then_turn_round_then_give_the_usual_order_again(rita_client, sweep):
    def next_of(sort, label):
        html = rita_client.get(URL, {"sort": sort}).content.decode()
        return re.search(rf'<a href="([^"]*)" data-query>{label}', html)[1]

    assert next_of("", "Started") == f"{URL}?sort=-started"
    assert next_of("-started", "Started") == f"{URL}?sort=started"
    assert next_of("started", "Started") == URL
    assert next_of("started", "Sweep") == f"{URL}?sort=name"
    html = rita_client.get(URL, {"sort": "-started"}).content.decode()
    assert html.count('aria-sort="descending"') == 1


# --- what helps ---------------------------------------------------------------------------------
def test_under_a_row_stands_why_and_where_to_look(rita_client, another_sweep):
    def said(**changes):
        Sweep.objects.update(reason="Because.", **changes)
        html = rita_client.get(URL).content.decode()
        reason = html[html.index("-reason") :]
        return re.search(r'Because\. <a href="([^"]*)">([^<]*)', reason)

    sweep = another_sweep()
    trials = f"/w/default/sweeps/{sweep.name}/trials/"
    assert said(status="Queued").groups() == ("/w/default/computes/", "Computes")
    assert said(status="Failed").groups() == (f"/w/default/sweeps/{sweep.name}/", "See its page")
    add_trials(sweep, ("Completed", 1.0), ("Failed", None), ("Failed", None))
    Sweep.objects.update(revision=1)
    found = said(status="Paused", desired="pause", paused_by="breaker")
    assert found.groups() == (f"{trials}?status=Failed", "See the 2 failures")
    assert said(paused_by="disk")[2] == "Computes"
    assert said(paused_by="person") is None


def test_a_sweep_whose_environment_failed_leads_to_the_log_of_the_build(rita_client, sweep):
    build = EnvironmentBuild.objects.create(digest="d", recipe={}, state="failed")
    Sweep.objects.update(status="Failed", reason="No such package.", environment_build=build)
    url = f"/w/default/sweeps/{sweep.name}/logs/environment"
    assert f'<a href="{url}">Log of its build</a>' in rita_client.get(URL).content.decode()


# --- its cost -----------------------------------------------------------------------------------
def test_the_number_of_queries_does_not_grow_with_the_page(rita_client, another_sweep):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            rita_client.get(URL)
        return len(captured)

    def fill(count):
        for _ in range(count):
            add_trials(another_sweep(), ("Completed", 0.5), ("Running", None), ("Queued", None))

    fill(1)
    cost()  # what is kept in memory is then as it mostly is
    one = cost()
    fill(lists.PAGE_SIZE - 1)
    Sweep.objects.filter(pk__gt=Sweep.objects.first().pk - 9).update(status="Completed")
    assert cost() <= one
    fill(3 * lists.PAGE_SIZE)
    assert cost() <= one
    assert one < 40


def test_of_ended_sweeps_no_trial_is_looked_at_twice(another_sweep, now):
    for _ in range(3):
        add_trials(another_sweep(), ("Completed", 0.5), ("Failed", None))
    Sweep.objects.update(status=SweepStatus.COMPLETED)
    first = summaries(list(Sweep.objects.all()))
    with CaptureQueriesContext(connection) as captured:
        assert summaries(list(Sweep.objects.all())) == first
    assert not [query for query in captured if "sweeps_trial" in query["sql"]]
    # A trial that runs again raises the revision.
    Trial.objects.update(status="Queued", objective=None)
    Sweep.objects.update(revision=5)
    [one, *_] = summaries(list(Sweep.objects.all())).values()
    assert one.counts == {TrialStatus.QUEUED: 2}


def test_strangers_and_visitors_do_not_see_the_list(client, charlie, sweep):
    assert client.get(URL).status_code == 302
    client.force_login(charlie)
    assert client.get(URL).status_code == 404
    assert client.get("/w/nowhere/sweeps/").status_code == 404


def test_the_list_is_only_read(rita_client, sweep):
    assert rita_client.post(URL).status_code == 405


@pytest.mark.parametrize("goal", Goal)
def test_a_large_live_sweep_is_summed_up_from_memory_just_as_by_the_database(
    another_sweep, now, monkeypatch, goal
):
    sweep = another_sweep(objective=Objective("loss", goal))
    add_trials(
        sweep, ("Failed", 0.0), ("Completed", 3.0), ("Completed", 4.0), ("EarlyTerminated", 2.0),
        ("Completed", 2.0), ("Completed", 5.0), ("Running", 0.1), ("Queued", None),
    )  # fmt: skip
    empty = another_sweep()
    sweeps = [sweep, empty]
    by_database = queries.summaries(sweeps)
    monkeypatch.setattr(queries, "LARGE", 0)
    found = queries.summaries(sweeps)
    assert found[sweep.pk].mean_s == pytest.approx(by_database[sweep.pk].mean_s, abs=1e-3)
    for one in sweeps:
        assert found[one.pk].counts == by_database[one.pk].counts
        assert found[one.pk].records == by_database[one.pk].records
    assert {(type(n), type(v)) for n, v in found[sweep.pk].records} == {(int, float)}
