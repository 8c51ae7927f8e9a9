"""What is left of the studio in a browser after signing out, and after a session has ended."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from studio.models import Compute, User
from sweeps.models import Sweep
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Playwright turns off what makes Back quick, and what is asked for here.
SIGN_IN = re.compile(r"/accounts/login/\?next=")
QUICK_BACK = ["--disable-back-forward-cache"]


@pytest.fixture
def page(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """A page of a browser that keeps pages for Back."""
    kind = chromium.browser_type
    path = kind.executable_path
    from tests.browsers import find_chromium

    browser = kind.launch(
        executable_path=find_chromium() or path, args=["--no-sandbox"],
        ignore_default_args=QUICK_BACK,
    )  # fmt: skip
    yield browser.new_page(base_url=live_server.url)
    browser.close()


def sign_in(page: Page, name: str) -> None:
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(f"{name}-secret-1")
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    menu = page.locator("details:has(form[action$='/logout/'])")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Sweep Studio")).to_be_visible()


def test_back_after_signing_out_shows_nothing(page: Page, alice: User, sweep: Sweep) -> None:
    page.goto("/w/default/sweeps/")
    sign_in(page, "alice")
    expect(page.get_by_role("link", name=sweep.name)).to_be_visible()
    page.goto(f"/w/default/sweeps/{sweep.name}/")
    sign_out(page)
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in to Sweep Studio")).to_be_visible()
        assert sweep.name not in page.inner_text("body")


def test_the_session_is_another_after_signing_in_and_no_script_can_read_it(
    page: Page, live_server: Any, alice: User, workspace: Any
) -> None:
    base_url = live_server.url
    page.goto("/accounts/login/")
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": "planted", "url": base_url}]
    )
    sign_in(page, "alice")
    expect(page).not_to_have_url(re.compile("login"))
    [cookie] = [
        one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME
    ]
    assert cookie["value"] != "planted"
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert settings.SESSION_COOKIE_NAME not in page.evaluate("document.cookie")


def end_sessions() -> None:
    from studio.models import Session

    Session.objects.all().delete()


def test_a_session_that_ended_leads_to_sign_in_and_back_with_what_was_typed(
    visit: Callable[..., Visit], bob: User, compute: Compute
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open("/w/default/sweeps/new")
    command = page.locator("[name=command]")
    command.fill("python typed_for_long.py")
    end_sessions()
    # The form asks by itself what its parameters look like.
    page.locator("[name=display_name], [name=description]").first.fill("words")
    page.locator("#preview-trigger").evaluate("(node) => htmx.trigger(node, 'preview')")
    page.wait_for_url(SIGN_IN)
    sign_in(page, "bob")
    page.wait_for_url("**/w/default/sweeps/new")
    expect(page.locator("[name=command]")).to_have_value("python typed_for_long.py")


def test_another_person_in_the_same_tab_does_not_get_it(
    visit: Callable[..., Visit], alice: User, bob: User, compute: Compute
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open("/w/default/sweeps/new")
    page.locator("[name=command]").fill("python bobs.py")
    sign_out(page)
    page.goto(f"{seen.base}/accounts/login/?next=/w/default/sweeps/new")
    sign_in(page, "alice")
    page.wait_for_url("**/w/default/sweeps/new")
    page.reload()
    expect(page.locator("[name=command]")).to_be_visible()
    assert "bobs.py" not in page.content()
    assert page.locator("[name=command]").input_value() != "python bobs.py"


def test_a_page_that_watches_a_sweep_goes_to_sign_in_as_a_whole(
    visit: Callable[..., Visit], bob: User, sweep: Sweep
) -> None:
    seen = visit(bob)
    address = f"/w/default/sweeps/{sweep.name}/"
    seen.open(address)
    end_sessions()
    seen.page.wait_for_url(SIGN_IN)
    sign_in(seen.page, "bob")
    seen.page.wait_for_url(f"**{address}")
