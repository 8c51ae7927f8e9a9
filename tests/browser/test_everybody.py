"""The job page for everybody: by keyboard alone, by ear, from another tab, without scripts."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.models import Sweep
from sweeps.services import control, sweeps
from tests.api.acts import end, log, play, start
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visitor = Callable[..., Visit]


@pytest.fixture
def started(make_sweep: Any, now: Any) -> Sweep:
    """Of 4 trials: 0 and 1 completed (0.4, 0.2), 2 failed, 3 is queued."""
    sweep: Sweep = make_sweep(name="churn", limits=Limits(4, 1, 3600))
    play(sweep, now, [0.4, 0.2, None])
    return sweep


def finish(sweep: Sweep, now: Any, value: float) -> None:
    """The last trial runs to its end, and with it the sweep."""
    attempt = start(sweep.trials.get(number=3).pk, now)
    log(attempt, [value])
    end(attempt, now + timedelta(seconds=4))
    sweeps.advance(sweep.pk, now + timedelta(seconds=5))


def focused_row(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.closest('tr')?.dataset.trial ?? ''")
    return found


def test_a_table_is_used_by_keyboard_alone(visit: Visitor, rita: User, started: Sweep) -> None:
    seen = visit(rita)
    page, press = seen.page, seen.page.keyboard.press
    seen.open("/w/default/sweeps/churn/trials/?sort=number")
    press("?")
    keys = page.locator("#keys")
    expect(keys).to_contain_text("next row")
    expect(keys).to_contain_text("live updates on or off")
    expect(keys).to_contain_text("go to the computes")
    press("j")  # not heard in a dialog
    press("Escape")
    expect(keys).to_be_hidden()
    assert focused_row(page) == ""

    for key, row in (("j", "0"), ("j", "1"), ("x", "1"), ("k", "0"), ("x", "0")):
        press(key)
        assert focused_row(page) == row, key
    bar = page.locator("#bulk-form")
    expect(bar).to_contain_text("2 selected")
    press("Escape")
    expect(bar).to_have_count(0)
    press("x")
    press("j")
    press("x")
    press("/")
    page.keyboard.type("jxc?")
    assert page.locator("input[type=search]").input_value() == "jxc?"
    press("Escape")
    press("Escape")
    expect(page.locator("input[type=search]")).not_to_be_focused()
    expect(bar).to_contain_text("2 selected")
    press("c")
    page.wait_for_url("**/compare/?*")
    press("g")
    press("s")
    page.wait_for_url("**/w/default/sweeps/")
    press("j")
    press("Enter")
    page.wait_for_url("**/sweeps/churn/")


def test_keys_can_be_turned_off(visit: Visitor, rita: User, started: Sweep) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open("/w/default/sweeps/churn/trials/")
    page.keyboard.press("?")
    page.get_by_label("These keys are on in this browser").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    assert focused_row(page) == ""
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_title_icon_and_announcer_follow_the_sweep(
    visit: Visitor, rita: User, started: Sweep, now: Any
) -> None:
    seen = visit(rita)
    page = seen.page
    page.clock.install()
    seen.open("/w/default/sweeps/churn/")
    icon = page.locator('link[rel="icon"]')
    expect(page).to_have_title("75 % · churn · Sweep Studio")
    expect(icon).to_have_attribute("href", re.compile("data:image/svg"))
    control.pause_sweep(started, actor="alice", now=now)
    expect(page).to_have_title("Paused · churn · Sweep Studio")
    said = page.locator("#announcer")
    expect(said).to_contain_text("The sweep churn is paused.")
    control.resume_sweep(started, actor="alice", now=now)
    finish(started, now, 0.05)
    expect(page).to_have_title("Completed · churn · Sweep Studio")
    # Within ten seconds of the last it says nothing; then all in one.
    expect(said).not_to_contain_text("New best")
    page.clock.fast_forward(10_000)
    expect(said).to_contain_text("New best: loss 0.0500000, trial 3.")
    expect(said).to_contain_text("The sweep churn has ended: Completed.")
    page.clock.fast_forward(10_000)
    expect(page).to_have_title("churn · Sweep Studio")
    expect(icon).to_have_attribute("href", re.compile("logo"))


def test_updates_pause_by_key_and_a_lost_connection_is_told(
    visit: Visitor, rita: User, started: Sweep, now: Any
) -> None:
    seen = visit(rita)
    page = seen.page
    page.clock.install()
    seen.open("/w/default/sweeps/churn/")
    word = page.locator("[data-live-word]")
    expect(word).to_have_text("Live")
    page.keyboard.press("l")
    expect(word).to_have_text("Paused")
    finish(started, now, 0.05)
    page.clock.run_for(3000)
    expect(page.locator(".best-value")).to_have_text("0.200000")

    def refuse(route: Route) -> None:
        route.fulfill(status=503)

    page.route("**/live?*", refuse)
    page.keyboard.press("l")
    page.clock.run_for(3000)
    expect(word).to_have_text("Reconnecting")
    page.clock.run_for(20_000)
    expect(page.locator("#toasts")).to_contain_text("see whether the studio runs")
    page.unroute("**/live?*")
    page.clock.run_for(20_000)
    expect(page.locator(".best-value")).to_have_text("0.0500000")
    expect(page.locator("#toasts .note")).to_have_count(0)
    expect(word).to_have_count(0)
    seen.problems[:] = [one for one in seen.problems if "503" not in one]


def test_without_javascript_one_submits_finds_and_compares(
    visit: Visitor, bob: User, started: Sweep, now: Any
) -> None:
    seen = visit(bob, java_script_enabled=False)
    page = seen.page
    seen.open("/")
    page.get_by_role("link", name="New sweep").click()
    page.locator("#f-command").fill("python train.py --lr ${{search_space.lr}}")
    page.locator("[name=row-0-name]").fill("lr")
    page.get_by_label("Lowest").first.fill("0.1")
    page.get_by_label("Highest").first.fill("0.9")
    page.get_by_role("button", name="Submit sweep").click()
    # Refused: the list of what is wrong leads to the field.
    page.locator("#error-list a").first.click()
    page.locator("#f-primary_metric").fill("loss")
    page.get_by_role("button", name="Submit sweep").click()
    page.wait_for_url("**/sweeps/*/")
    expect(page.get_by_text("Reload to see what is new")).to_be_visible()
    expect(page.locator("#job-status")).to_contain_text("Queued")

    seen.open("/w/default/sweeps/churn/")
    expect(page.get_by_text("Charts are drawn by JavaScript").first).to_be_visible()
    page.get_by_role("link", name="Read this one as a table").first.click()
    expect(page.locator("main table")).to_be_visible()
    page.go_back()
    page.get_by_role("navigation", name="Sweep").get_by_role("link", name="Trials").click()
    page.get_by_label("Tick trial 0").check()
    page.get_by_label("Tick trial 1").check()
    page.get_by_role("button", name="Compare the ticked").click()
    page.wait_for_url("**/compare/?*")
    expect(page.locator("th.trial")).to_have_count(2)
    page.locator("th.trial .trial-link a").first.click()
    page.wait_for_url("**/trials/*/")
    expect(page.locator("h1")).to_contain_text("Trial")
    expect(page.get_by_text("The log is a download")).to_be_visible()
    expect(page.locator("time").first).to_have_text(re.compile("UTC"))
    seen.problems[:] = [one for one in seen.problems if "422" not in one]


def test_a_refused_form_puts_the_focus_where_one_goes_on(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open("/accounts/password/")
    page.locator("#id_new_password1").fill("one-secret-1")
    page.locator("#id_new_password2").fill("another-secret-2")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    seen.open("/w/default/sweeps/churn/edit")
    page.locator("#f-max_total_trials").fill("many")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_be_focused()
    seen.problems[:] = [one for one in seen.problems if "422" not in one]
