"""What is amiss in the studio, and why a sweep waits: on every page, and brought by itself."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from studio.models import User
from sweeps.models import EngineLease, Sweep, Trial
from sweeps.services import sweeps
from sweeps.services.conditions import clear_condition, set_condition
from tests.pages.test_lists import add_trials

FULL = "The disk is nearly full: 3 GB are left, new trials wait for 5 GB."
PAGES = ["/", "/w/default/", "/w/default/sweeps/", "/w/default/computes/", "/help/"]


@pytest.fixture
def page(client: Client, rita: User) -> Client:
    client.force_login(rita)
    return client


def notices(page: Client, address: str) -> str:
    html = page.get(address).content.decode()
    return html.split('<div id="nav-notices"')[1].split('<div class="page-head">')[0]


@pytest.mark.parametrize("address", PAGES)
def test_a_condition_stands_on_every_page_while_it_holds(
    page: Client, sweep: Sweep, now: Any, address: str
) -> None:
    assert "note" not in notices(page, address).split(">", 1)[1]
    set_condition("disk", FULL, now)
    text = notices(page, address)
    assert 'role="status"' in text
    assert FULL in text
    assert f'<time datetime="{now.isoformat()}"' in text
    clear_condition("disk")
    assert FULL not in notices(page, address)


def test_nothing_is_told_to_strangers(client: Client, workspace: Any, now: Any) -> None:
    set_condition("disk", FULL, now)
    assert FULL not in client.get("/accounts/login/").content.decode()


def test_a_part_that_is_down_is_told_everywhere(page: Client, sweep: Sweep) -> None:
    EngineLease.objects.filter(name="queue").update(expires_at=timezone.now() - timedelta(hours=1))
    assert "The queue process is down since" in notices(page, "/")


def test_a_live_page_learns_of_it_without_a_change_of_its_own(
    page: Client, sweep: Sweep, now: Any
) -> None:
    trial = Trial.objects.get(pk=sweeps.advance(sweep.pk, now).trials[0])
    base = f"/w/default/sweeps/{sweep.name}/"
    sweep.refresh_from_db()
    for live, revision in (
        (f"{base}live", sweep.revision),
        (f"{base}trials/0/live", trial.revision),
    ):
        clear_condition("disk")
        shown = page.get(f"{live}?since=-1").json()["around"]
        asks = f"{live}?since={revision}&around={shown}"
        assert page.get(asks).status_code == 204
        set_condition("disk", FULL, now)
        news = page.get(asks).json()
        assert FULL in news["fragments"]["nav-notices"]
        assert page.get(f"{live}?since={revision}&around={news['around']}").status_code == 204


def test_pages_begin_with_what_live_answers_compare(page: Client, sweep: Sweep) -> None:
    base = f"/w/default/sweeps/{sweep.name}/"
    shown = page.get(f"{base}live?since=-1").json()["around"]
    assert f'data-around="{shown}"' in page.get(base).content.decode()


def test_the_list_learns_of_it_too(page: Client, sweep: Sweep, now: Any) -> None:
    html = page.get("/w/default/sweeps/").content.decode()
    [around] = re.findall(r'data-around="(\w+)"', html)
    ask = f"/w/default/sweeps/live?since=0&around={around}"
    assert page.get(ask).status_code == 204
    set_condition("disk", FULL, now)
    assert FULL in page.get(ask).json()["fragments"]["nav-notices"]


def test_why_a_sweep_waits_stands_in_its_strip_and_changes_by_itself(
    page: Client, another_sweep: Any, now: Any
) -> None:
    holder, waiting = another_sweep(), another_sweep()
    add_trials(holder, ("Running", None), ("Running", None))
    Sweep.objects.update(run_id="opened")
    Sweep.objects.filter(pk=holder.pk).update(display_name="sweep Y")
    live = f"/w/default/sweeps/{waiting.name}/live"
    news = page.get(f"{live}?since=-1").json()
    why = "Waiting for a slot on local: its 2 are taken by sweep Y (2)."
    assert why in news["fragments"]["job-progress"]
    asks = f"{live}?since={news['revision']}&around={news['around']}"
    assert page.get(asks).status_code == 204
    Trial.objects.update(status="Completed")
    assert "Starts in a moment." in page.get(asks).json()["fragments"]["job-progress"]


def test_queued_trials_say_why_they_wait(page: Client, another_sweep: Any, now: Any) -> None:
    holder, waiting = another_sweep(), another_sweep()
    Sweep.objects.update(run_id="opened")
    add_trials(waiting, ("Queued", None))
    base = f"/w/default/sweeps/{waiting.name}/trials/"
    number = waiting.trials.get().number
    live = page.get(f"/w/default/sweeps/{waiting.name}/live?tab=trials").json()
    rows = live["fragments"]["job-trials"]
    assert "Queued" in rows
    assert "Starts in a moment." not in rows
    assert "Starts in a moment." in page.get(f"{base}{number}/").content.decode()
    add_trials(holder, ("Running", None), ("Running", None))
    for address in (base, f"{base}{number}/"):
        assert "Waiting for a slot on local" in page.get(address).content.decode()


def test_a_quiet_live_page_costs_little(
    page: Client, sweep: Sweep, now: Any, django_assert_max_num_queries: Any
) -> None:
    add_trials(sweep, ("Running", None))
    live = f"/w/default/sweeps/{sweep.name}/live"
    news = page.get(f"{live}?since=-1").json()
    with django_assert_max_num_queries(8):
        asks = f"{live}?since={news['revision']}&around={news['around']}"
        assert page.get(asks).status_code == 204
