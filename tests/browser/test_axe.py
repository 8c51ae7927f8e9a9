"""axe finds nothing on any page: in both themes, on a desktop and on a phone."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from studio.models import Compute, User
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.pages import everywhere

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
EVERYTHING = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# What depends on the width and what on the theme is looked at in every pair of them.
LOOKS: tuple[tuple[Any, Any, Any], ...] = (
    ("light", DESKTOP, EVERYTHING),
    ("dark", DESKTOP, COLOURS),
    ("light", PHONE, COLOURS),
    ("dark", PHONE, EVERYTHING),
)
RUN = """async (options) => {
  // Without "preload" it asks for no style sheets; only a rule about turned phones wants them.
  const quick = { preload: false, selectors: false, resultTypes: ["violations"] };
  const found = await axe.run(document, { ...options, ...quick });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.html.slice(0, 200)} (${node.failureSummary.split("\\n").pop().trim()})`));
}"""


def violations(page: Page) -> set[str]:
    """What axe finds wrong with the page that is open, in all looks."""
    page.evaluate(AXE)
    found = set()
    for theme, viewport, options in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(viewport)
        found |= {f"{theme}, {viewport['width']} px: {one}" for one in page.evaluate(RUN, options)}
    return found


@pytest.mark.timeout(600)
def test_axe_finds_nothing_on_any_page(
    visit: Callable[..., Visit], client: Client, alice: User, compute: Compute, now: Any
) -> None:
    everywhere.set_up(alice, compute, now)
    client.force_login(alice)
    seen, stranger = visit(alice), visit()
    bad = []
    for address in everywhere.pages(client):
        visitor = stranger if address.startswith("/accounts/login") else seen
        visitor.open(address)
        if address == "/":
            seen.page.keyboard.press("?")
            bad += violations(seen.page)
            seen.page.keyboard.press("Escape")
        bad += [f"{address}\n  {one}" for one in sorted(violations(visitor.page))]
        if address.endswith("/nothing/"):
            seen.problems.clear()  # that it is not there is said in the console too
    assert bad == [], "\n".join(bad)
