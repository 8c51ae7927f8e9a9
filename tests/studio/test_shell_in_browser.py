"""The frame's behaviours in real Chromium: theme, asking first, copying, keys, lost connections."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browsers import find_chromium

pytestmark = pytest.mark.browser

FORM = """() => {
  const form = document.createElement("form");
  form.method = "get"; form.action = "/accounts/login/"; form.id = "risky";
  form.innerHTML = '<input type="hidden" name="done" value="1"><button>Delete sweep</button>';
  form.dataset.confirm = "All trials of churn are deleted.";
  form.dataset.confirmType = "churn";
  form.dataset.confirmAction = "Delete sweep";
  document.querySelector("main").append(form);
}"""
COPY = """() => {
  const button = document.createElement("button");
  button.dataset.copy = "lr: 0.1";
  button.id = "copy";
  button.textContent = "Copy parameters";
  document.querySelector("main").append(button);
}"""


@pytest.fixture
def page(live_server: object) -> Iterator[Page]:
    """The sign-in page, the lightest one in the frame; it must not log a single error."""
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(
            color_scheme="light", permissions=["clipboard-read", "clipboard-write"]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(f"{live_server}/accounts/login/")
        yield page
        browser.close()
    # What the browser and htmx say themselves of a lost connection.
    offline = ("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")
    assert [error for error in errors if not any(word in error for word in offline)] == []


def theme(page: Page) -> str:
    return str(page.evaluate("document.documentElement.dataset.bsTheme"))


def test_the_chosen_theme_outlives_a_reload_and_charts_are_told(page: Page) -> None:
    assert theme(page) == "light"
    told = page.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener("studio:theme", (e) => resolve(e.detail.theme));
          document.querySelector("[data-theme-toggle]").click();
        })"""
    )
    assert told == "dark"
    page.reload()
    assert theme(page) == "dark"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(14, 18, 25)"


def test_a_risky_form_is_sent_only_after_its_name_is_typed(page: Page) -> None:
    page.evaluate(FORM)
    page.click("#risky button")
    go = page.locator("#confirm [data-part=go]")
    assert go.is_disabled()
    page.keyboard.type("chur")
    page.keyboard.press("Enter")
    assert "done=1" not in page.url
    page.click("#confirm [data-part=keep]")
    assert "done=1" not in page.url
    page.click("#risky button")
    page.keyboard.type("churn")
    go.click()
    page.wait_for_url("**/accounts/login/?done=1")


def test_copying_puts_the_text_on_the_clipboard_and_says_so(page: Page) -> None:
    page.evaluate(COPY)
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "lr: 0.1"


def test_a_question_mark_lists_the_keys_but_not_while_typing(page: Page) -> None:
    page.focus("#id_username")
    page.keyboard.press("?")
    assert page.input_value("#id_username") == "?"
    assert not page.locator("#keys").is_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert "this list" in page.locator("#keys").inner_text()


def test_a_lost_connection_is_said_in_words(page: Page) -> None:
    page.context.set_offline(True)
    page.evaluate("htmx.ajax('GET', '/healthz', {target: 'main'}).catch(() => {})")
    page.wait_for_selector("#toasts .note")
    assert page.locator("#toasts").inner_text().strip() == (
        "Could not reach the studio; nothing was lost."
    )


def test_the_frame_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
