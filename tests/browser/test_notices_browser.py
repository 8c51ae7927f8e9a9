"""Notices of the browser in real Chromium, whose Notification is watched."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.domain.states import SweepStatus
from sweeps.models import Sweep
from sweeps.services.state import move_sweep
from tests.api.acts import play
from tests.browser.conftest import PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EVIL = "<img src=x onerror=alert(1)>"
# Keeps what it is asked; permission is as window.answer says when it is asked for.
WATCHED = """
window.asked = 0;
window.told = [];
window.Notification = class {
  static get permission() { return localStorage.getItem("permission") || "default"; }
  static async requestPermission() {
    window.asked += 1;
    localStorage.setItem("permission", window.answer || "granted");
    return this.permission;
  }
  constructor(title, options) {
    window.told.push({ title, ...options });
    document.documentElement.dataset.told = window.told.length;
  }
  addEventListener() {}
};
document.hasFocus = () => false;
"""


@pytest.fixture
def running(make_sweep: Any, now: Any, bob: User) -> Sweep:
    sweep: Sweep = make_sweep(limits=Limits(8, 1, 3600), display_name=EVIL)
    Sweep.objects.update(created_by=bob)
    play(sweep, now, [0.4])
    sweep.refresh_from_db()
    return sweep


def bell(page: Page) -> Any:
    return page.locator(".notices-bell")


def test_a_sweep_that_ends_is_told_to_whoever_asked_for_it(
    visit: Callable[..., Visit], bob: User, running: Sweep, now: Any
) -> None:
    seen = visit(bob)
    seen.page.add_init_script(WATCHED)
    seen.open(running.get_absolute_url())
    assert seen.page.evaluate("[window.asked, Notification.permission]") == [0, "default"]
    with seen.page.expect_response("**/notices?*"):
        bell(seen.page).click()
    expect(bell(seen.page)).to_have_attribute("data-is-on", "")
    assert seen.page.evaluate("window.asked") == 1
    move_sweep(running, SweepStatus.FAILED, now, reason=EVIL)
    expect(seen.page.locator("html")).to_have_attribute("data-told", "1")
    [told] = seen.page.evaluate("window.told")
    assert told["title"] == f"Sweep {EVIL} has failed"
    assert told["body"].startswith(EVIL)
    # On any other page, too; and what was told is not told again.
    seen.open("/w/default/settings/")
    move_sweep(running, SweepStatus.RUNNING, now)
    move_sweep(running, SweepStatus.COMPLETED, now)
    seen.page.evaluate("window.dispatchEvent(new StorageEvent('storage', {key: 'studio-notices'}))")
    expect(seen.page.locator("html")).to_have_attribute("data-told", "1")
    assert seen.page.evaluate("window.told[0].title") == f"Sweep {EVIL} is complete"


def test_who_turns_it_off_or_forbids_it_hears_nothing(
    visit: Callable[..., Visit], bob: User, running: Sweep
) -> None:
    seen = visit(bob, PHONE)
    page = seen.page
    page.add_init_script(WATCHED)
    seen.open("/w/default/settings/")
    button = page.get_by_role("button", name="Tell me in this browser")
    button.click()
    expect(page.locator("[data-notices-word]")).to_contain_text("On: while a page")
    page.get_by_role("button", name="Stop telling me here").click()
    expect(page.locator("[data-notices-word]")).to_contain_text("Off:")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    seen.open(running.get_absolute_url())
    expect(bell(page)).to_be_enabled()
    page.evaluate("localStorage.removeItem('permission'); window.answer = 'denied'")
    bell(page).click()
    expect(bell(page)).to_be_disabled()
    expect(bell(page)).to_have_attribute(
        "title", "Blocked: allow notifications of this site in the browser’s settings first."
    )
    assert not [url for url in asked if "/notices?" in url]
    assert not seen.scrolls_sideways()
