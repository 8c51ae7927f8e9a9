"""Charts that draw more than their sweep, in real Chromium: chosen beside it, or waited for."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from studio.models import User
from sweeps.engine.analyses import analyse
from sweeps.models import Sweep
from tests.browser.conftest import Visit
from tests.pages.test_insight import trials_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_other_sweeps_are_found_and_ticked_and_importance_comes_when_it_is_worked_out(
    visit: Callable[..., Visit], rita: User, make_sweep: Any
) -> None:
    own, other = make_sweep(name="own"), make_sweep(name="other", display_name="Wide net")
    trials_of(own, 25)
    trials_of(other, 30)
    seen = visit(rita)
    page = seen.page
    seen.open(f"/w/default/sweeps/{own.name}/charts/#chart-of-edf")
    card = page.locator("#chart-of-edf")
    card.locator("summary", has_text="Compare with").click()
    card.locator("[data-edf-find]").fill("nobody")
    expect(card.locator("[data-edf-none]")).to_be_visible()
    card.locator("[data-edf-find]").fill("wide")
    card.get_by_role("checkbox", name="Wide net").check()
    expect(card.locator(".chart-keys li")).to_have_text(["own (25)", "Wide net (other) (30)"])
    assert page.url.endswith("?with=other")
    page.go_back()
    expect(card.get_by_role("checkbox", name="Wide net")).not_to_be_checked()
    expect(card.locator(".chart-keys li")).to_have_count(1)
    importance = page.locator("#chart-importance")
    importance.scroll_into_view_if_needed()
    expect(importance.locator(".chart-empty")).to_have_text("Working it out…")
    analyse(Sweep.objects.get(name="own").pk)
    expect(importance.locator(".chart-keys")).to_contain_text("what chance reaches")
    expect(importance.locator(".chart-empty")).to_be_hidden()
