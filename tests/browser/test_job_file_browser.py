"""The job file beside the new-sweep form, dropped files, and what people copy, in Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from sweeps.models import Sweep

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "/w/default/sweeps/new"
JOB = """# mine
type: sweep
trial: {command: "python -c 1 ${{search_space.lr}}"}
search_space:
  lr: {type: uniform, min_value: 0.1, max_value: 0.9}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 3}
"""


@pytest.fixture
def opened(visit, bob, compute):
    """The empty form."""
    visited = visit(bob)
    visited.open(NEW)
    return visited


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def editor(page: Page):
    return page.locator("#file-editor .cm-content")


def write(page: Page, text: str) -> None:
    """Type a whole file anew."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_the_form_and_the_file_are_switched_without_loss(opened):
    page = opened.page
    page.get_by_label("Display name").fill("mine")
    page.get_by_label("Trial timeout").fill("5 minits")
    press(page, "YAML")
    expect(editor(page)).to_contain_text("trial_timeout: 5 minits")
    press(page, "Form")
    expect(page.get_by_label("Trial timeout")).to_have_value("5 minits")
    expect(page.get_by_label("Display name")).to_have_value("mine")
    press(page, "YAML")
    write(page, JOB)
    press(page, "Form")
    expect(page.get_by_label("Primary metric")).to_have_value("loss")
    press(page, "YAML")
    expect(editor(page)).to_contain_text("# mine")


def test_problems_stand_at_their_lines_while_one_types_and_the_file_is_submitted(opened):
    page = opened.page
    press(page, "YAML")
    write(page, JOB.replace("minimize", "best"))
    expect(page.locator("#file-problems")).to_contain_text("Line 6")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    assert page.evaluate("document.activeElement.classList.contains('cm-content')")
    page.locator("#file-problems").get_by_role("link", name="Line 6").click()
    page.keyboard.insert_text("objective: {goal: minimize, primary_metric: loss}")
    expect(page.locator("#file-problems")).to_contain_text("The file can be read.")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.classList.contains('cm-content')")
    press(page, "Submit sweep")
    page.wait_for_url("**/sweeps/*/", wait_until="commit")
    assert Sweep.objects.get().max_total_trials == 3


def test_what_is_typed_is_there_again_after_back_and_reload(opened):
    page = opened.page
    press(page, "Add parameter")
    page.get_by_label("Name", exact=True).nth(1).fill("second")
    opened.open("/w/default/sweeps/")
    page.go_back()
    expect(page.get_by_label("Name", exact=True).nth(1)).to_have_value("second")
    press(page, "YAML")
    write(page, "# half a file")
    page.reload()
    expect(editor(page)).to_have_text("# half a file")
    press(page, "Form")
    expect(page.locator("#file-problems")).to_contain_text("to mend")
    opened.problems[:] = [text for text in opened.problems if "status of 422" not in text]


def drop(page: Page, text: str) -> None:
    """Drag a file over the page and let go of it."""
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "job.yml"));
          const fire = (name) => document.body.dispatchEvent(
            new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
          fire("dragenter");
          window.hinted = !document.getElementById("drop-hint").hidden;
          fire("drop");
        }""",
        text,
    )


def test_a_file_that_is_dropped_on_the_list_opens_in_the_form(visit, bob, compute):
    visited = visit(bob)
    page = visited.page
    visited.open("/w/default/sweeps/")
    drop(page, "a" * 300_000)
    assert page.evaluate("window.hinted")
    expect(page.locator("#toasts")).to_contain_text("256 KiB at most")
    drop(page, JOB)
    page.wait_for_url(f"**{NEW}")
    expect(page.get_by_label("Primary metric")).to_have_value("loss")


def test_copying_works_also_where_the_browser_has_no_clipboard(visit, bob, make_sweep):
    visited = visit(bob)
    page = visited.page
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => window.mayCopy ?? false;"
    )
    visited.open(f"{make_sweep().get_absolute_url()}config/")
    link = page.locator(".exports").get_by_text("Copy as Python")
    width = link.bounding_box()["width"]
    link.click()
    text = page.locator("#copy-by-hand textarea")
    expect(text).to_have_value(re.compile("MLClient"))
    assert page.evaluate("getSelection().toString()").startswith("import")
    press(page, "Close")
    page.evaluate("window.mayCopy = true")
    link.click()
    copied = page.locator(".exports").get_by_text("Copied")
    expect(copied).to_be_visible()
    assert copied.bounding_box()["width"] == width
