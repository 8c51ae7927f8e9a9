"""Style sheets are files: what libraries would add is there already, or carries the page's word."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, expect

from studio.models import Compute, User
from studio.security_headers import CONTENT_SECURITY_POLICY
from tests.api.acts import play
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLOTLY = settings.BASE_DIR / "static" / "vendor" / "plotly"
RULES = """() => {
  const newest = [...document.styleSheets].at(-1);
  return [...newest.cssRules].map((rule) => rule.cssText);
}"""


@pytest.mark.parametrize("part", sorted(PLOTLY.glob("*.js")), ids=lambda path: path.stem)
def test_our_file_has_the_styles_that_plotly_would_add(chromium: Browser, part: Any) -> None:
    page = chromium.new_page()
    page.set_content("<!doctype html><title>x</title>")
    page.add_script_tag(path=str(part))
    added = page.evaluate(RULES)
    page.set_content(f"<!doctype html><title>x</title><style>{(PLOTLY / 'plotly.css').read_text()}")
    assert len(added) > 50
    assert page.evaluate(RULES) == added
    page.close()


def test_no_style_sheet_is_added_where_charts_are(
    visit: Callable[..., Visit], alice: User, sweep: Any, now: Any
) -> None:
    play(sweep, now, [0.4, 0.2])
    seen = visit(alice)
    seen.open(f"/w/default/sweeps/{sweep.name}/charts/")
    expect(seen.page.locator(".main-svg").first).to_be_visible()
    assert seen.page.locator("style").count() == 0


def test_the_editor_has_its_styles_by_the_word_of_its_page(
    visit: Callable[..., Visit], alice: User, compute: Compute
) -> None:
    seen = visit(alice)
    seen.open("/w/default/sweeps/new")
    seen.page.get_by_role("button", name="YAML").click()
    line = seen.page.locator(".cm-line").first
    expect(line).to_be_visible()
    # From the editor's own sheet, without which lines wrap as text does.
    expect(line).to_have_css("padding-left", re.compile(r"[26]px"))
    expect(seen.page.locator(".cm-scroller")).to_have_css("display", "flex")


def test_a_style_sheet_of_anybody_else_is_refused(
    visit: Callable[..., Visit], alice: User, workspace: Any
) -> None:
    seen = visit(alice)
    seen.open("/help/")
    seen.page.evaluate("""() => {
      const style = document.createElement("style");
      style.textContent = "body { display: none !important; }";
      document.head.append(style);
    }""")
    expect(seen.page.locator("h1")).to_be_visible()
    assert "style-src-elem" in " ".join(seen.problems)
    seen.problems.clear()


def test_the_word_is_another_for_each_page_and_there_where_it_is_needed(
    client: Client, alice: User, compute: Compute
) -> None:
    client.force_login(alice)
    words = set()
    for _ in range(2):
        answer = client.get("/w/default/sweeps/new")
        [word] = re.findall(r'data-nonce="([\w-]{20,})"', answer.content.decode())
        assert "style-src-elem 'self' 'sha256-" in answer["Content-Security-Policy"]
        assert f" 'nonce-{word}';" in answer["Content-Security-Policy"]
        words.add(word)
    assert len(words) == 2
    assert client.get("/help/")["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "nonce" not in CONTENT_SECURITY_POLICY


def test_a_page_that_stands_alone_has_its_style(
    visit: Callable[..., Visit], alice: User, settings: Any
) -> None:
    """Refused for a missing token: no template of the studio's frame."""
    seen = visit(alice)
    seen.open("/help/")
    with seen.page.expect_navigation():
        seen.page.evaluate("""() => {
          const form = document.createElement("form");
          Object.assign(form, { method: "post", action: "/workspaces/new" });
          document.body.append(form);
          form.submit();
        }""")
    expect(seen.page.locator("main")).to_have_css("text-align", "center")
    assert [one for one in seen.problems if "403" not in one] == []
    seen.problems.clear()
