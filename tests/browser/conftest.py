"""Real Chromium on the live server; every page that it opens must be clean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from studio.models import User
from tests.browsers import find_chromium

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# A button takes the place of a check that is on its way, which htmx calls an error; a request that
# really failed has a line of its own beside these.
ABORTED = ("htmx:sendAbort, ", "htmx:afterRequest, ")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file; no longer, for the tests of other files.

    Playwright keeps an event loop in this thread, beside which Django wants no ORM unless told:
    here it is used between Playwright's calls only.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}", wait_until="load")

    def scrolls_sideways(self) -> bool:
        width: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return width


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Opens pages as somebody. Afterwards: no error in the console, none thrown, nothing refused
    by the content security policy, and no request to another origin."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def visit(
        user: User | None = None, viewport: dict[str, int] = DESKTOP, **options: Any
    ) -> Visit:
        looks = {"viewport": viewport, "reduced_motion": "reduce"} | options
        context = chromium.new_context(**looks)  # type: ignore[arg-type]
        contexts.append(context)
        if user:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        found = Visit(context.new_page(), live_server.url)
        _watch(found)
        visits.append(found)
        return found

    yield visit
    for context in contexts:
        context.close()
    assert [problem for one in visits for problem in one.problems] == []


def _watch(visit: Visit) -> None:
    page, problems = visit.page, visit.problems

    def request(seen: Any) -> None:
        if not seen.url.startswith((visit.base, "data:", "blob:")):
            problems.append(f"request to {seen.url}")

    def console(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(ABORTED):
            problems.append(f"console: {message.text}")

    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: problems.append(f"pageerror: {error}"))
