"""Lists and lanes in Chromium: searching, ticking, sorting while live, details of a lane."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from studio.models import Compute, User
from sweeps.models import Attempt, Sweep, Trial
from sweeps.services.sweeps import create_sweep
from tests.browser.conftest import PHONE, Visit
from tests.conftest import job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]


def make(compute: Compute, name: str, **tags: str) -> Sweep:
    return create_sweep(
        compute.workspace, job(name=name, tags=tags), compute=compute, code=None, user=None,
        now=timezone.now(), rng=random.Random(1),
    )  # fmt: skip


def test_the_list_is_searched_sorted_and_ticked_while_it_lives(
    visit: Open, alice: User, compute: Compute
) -> None:
    for name in ("apple", "banana", "cherry"):
        make(compute, name, kind="fruit" if name != "cherry" else "stone")
    seen = visit(alice)
    seen.open("/w/default/sweeps/")
    page = seen.page
    rows = page.locator("#sweep-rows tbody tr:not(.reason) th")
    expect(rows).to_have_count(3)
    page.get_by_label("Select banana").check()
    page.get_by_role("searchbox", name="Search sweeps").fill("an")
    expect(rows).to_have_count(1)
    assert page.url.endswith("/sweeps/?q=an")
    expect(page.get_by_label("Select banana")).to_be_checked()
    page.get_by_role("link", name="Clear all").click()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Sweep", exact=True).click()
    expect(rows).to_contain_text(["apple", "banana", "cherry"])
    assert page.url.endswith("?sort=name")
    page.get_by_role("link", name="kind: stone").click()
    expect(rows).to_have_count(1)
    page.go_back()
    expect(rows).to_have_count(3)
    page.get_by_label("Select apple").check()
    page.get_by_label("Select banana").check()
    bar = page.locator("#selected-form")
    expect(bar).to_contain_text("2 sweeps selected")
    expect(bar.get_by_role("button", name="Clone")).to_be_disabled()
    # News come in, and what was ticked stays.
    make(compute, "date")
    expect(rows).to_have_count(4)
    expect(bar).to_contain_text("2 sweeps selected")
    Sweep.objects.filter(name__in=["apple", "banana"]).update(status="Canceled", run_closed=True)
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete sweeps").click()
    expect(page.get_by_text("2 sweeps are deleted.")).to_be_visible()
    assert page.url.endswith("?sort=name")


def test_a_lane_tells_of_its_trials_by_pointer_and_by_keyboard(
    visit: Open, bob: User, compute: Compute
) -> None:
    sweep, now = make(compute, "apple"), timezone.now()
    trial = Trial.objects.create(
        sweep=sweep, number=0, status="Failed", attempt=1, started_at=now - timedelta(minutes=2),
        ended_at=now - timedelta(minutes=1), reason="Out of <b>memory</b>.",
    )  # fmt: skip
    Attempt.objects.create(
        trial=trial, number=1, spool="/spool/x", token_digest="x", started_at=trial.started_at,
        created_at=trial.started_at, ended_at=trial.ended_at, peak_memory=2**30,
    )  # fmt: skip
    seen = visit(bob)
    seen.open("/w/default/computes/")
    page = seen.page
    piece, card = page.locator(".lane-track > a"), page.locator(".lane-card")
    piece.hover()
    expect(card).to_contain_text("Out of <b>memory</b>.")
    expect(card).to_contain_text("peak memory 1.00 GiB")
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()
    piece.focus()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/trials/0/")
    seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for path in ("/w/default/computes/", "/", "/w/default/", "/w/default/sweeps/"):
        seen.open(path)
        assert not seen.scrolls_sideways(), path
