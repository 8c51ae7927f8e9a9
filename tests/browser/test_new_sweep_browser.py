"""The new-sweep form in a real browser: only clicks and typing, and nothing typed is lost."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from sweeps.models import Sweep
from tests.browser.conftest import PHONE
from tests.pages.new_sweep_form import SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "/w/default/sweeps/new"


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A script that the studio has never seen."""
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def opened(visit, bob, compute):
    """The empty form."""
    visited = visit(bob)
    visited.open(NEW)
    return visited


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_bayesian_sweep_with_a_nested_choice_is_built_by_clicking_alone(opened, train):
    page = opened.page
    page.set_input_files("#f-code_file", train)
    expect(page.locator(".note.family-green")).to_contain_text("3 options, 1 logged metric")
    expect(page.locator("#f-primary_metric")).to_have_value("val-auc")
    page.get_by_label("Kind of input 1").select_option("value")
    page.get_by_label("Value of input 1").fill("a.csv")
    press(page, "Nest a parameter under a value")
    nested = page.locator(".space-nested")
    nested.get_by_label("Name").fill("drop_rate")
    nested.get_by_label("Lowest").fill("0.05")
    nested.get_by_label("Highest").fill("0.5")
    press(page, "Put drop_rate into the command")
    expect(page.locator("#f-command")).to_have_value(re.compile(r"\$\[\[--drop-rate "))
    press(page, "Put boosting into the command")
    page.get_by_text("Bayesian (TPE)").first.click()
    expect(page.get_by_text("Bayesian sampling works best with")).to_be_visible()
    page.get_by_label("Total trials").fill("6")
    page.get_by_label("Timeout", exact=False).first.fill("2h 30m")
    press(page, "Submit sweep")
    page.wait_for_url("**/sweeps/*/", wait_until="commit")
    sweep = Sweep.objects.get()
    assert page.url.endswith(sweep.get_absolute_url())
    assert sweep.sampling["algorithm"] == "bayesian"
    assert (sweep.max_total_trials, sweep.timeout_s) == (6, 9000)
    assert "${{search_space.boosting.value}}" in sweep.command
    dart = sweep.search_space["boosting"]["values"][1]
    assert dart["value"] == "dart"
    assert dart["drop_rate"] == {"type": "uniform", "min_value": 0.05, "max_value": 0.5}


def test_a_policy_and_the_scripts_defaults_take_a_click_each(opened, train):
    page = opened.page
    page.set_input_files("#f-code_file", train)
    page.get_by_label("Try my defaults first").check()
    lr = page.get_by_label("learning_rate", exact=True)
    expect(lr).to_have_value("0.1")
    lr.fill("0.25")
    page.get_by_text("Successive halving").click()
    expect(page.locator("#policy-words")).to_contain_text("At reports 1, 4, 16, …")
    page.get_by_label("Reduction factor").fill("3")
    page.get_by_label("Kind of input 1").select_option("value")
    page.get_by_label("Value of input 1").fill("a.csv")
    page.get_by_label("No better value in").fill("20")
    press(page, "Submit sweep")
    page.wait_for_url("**/sweeps/*/", wait_until="commit")
    sweep = Sweep.objects.get()
    assert sweep.first_trials == [{"learning_rate": 0.25, "boosting": "gbdt"}]
    assert sweep.early_termination["options"] == {"min_reports": 1, "reduction_factor": 3}
    assert sweep.stop_rules["no_improvement_trials"] == 20


def hold_first(page: Page) -> list[Route]:
    """Keep the form's next request back until the test lets it go."""
    held: list[Route] = []
    page.route(f"**{NEW}", lambda route: route.continue_() if held else held.append(route))
    return held


def test_what_is_typed_while_an_answer_is_on_its_way_stays(opened):
    page = opened.page
    held = hold_first(page)
    with page.expect_request(f"**{NEW}"):
        page.get_by_label("Name", exact=True).first.fill("lr")
        page.get_by_label("Lowest of this parameter").focus()
    page.get_by_label("Lowest of this parameter").fill("0.25")
    page.get_by_label("Seed").fill("7")
    page.get_by_text("Maximize").click()
    page.get_by_label("Display name").press_sequentially("half-wr")
    with page.expect_response(f"**{NEW}"):
        held[0].continue_()
    expect(page.get_by_label("Lowest of lr")).to_have_value("0.25")
    page.get_by_label("Display name").press_sequentially("itten")
    assert page.get_by_label("Display name").input_value() == "half-written"
    assert page.get_by_label("Seed").input_value() == "7"
    expect(page.get_by_label("Maximize")).to_be_checked()
    expect(page.get_by_text("draws with seed 7")).to_be_visible()


def test_what_changed_meanwhile_is_checked_when_the_answer_is_there(opened):
    page = opened.page
    held = hold_first(page)
    with page.expect_request(f"**{NEW}"):
        press(page, "Add parameter")
    page.get_by_label("Seed").fill("7")
    page.wait_for_timeout(600)  # longer than a change waits for the next: its check is dropped
    held[0].continue_()
    expect(page.get_by_text("draws with seed 7")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_count(2)


def test_a_check_leaves_the_focus_where_one_types(opened):
    page = opened.page
    page.get_by_label("Distribution of this parameter").focus()
    page.get_by_label("Distribution of this parameter").select_option("loguniform")
    expect(page.get_by_text("real values")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "f-rows-0-type"
    page.get_by_label("Distribution of this parameter").select_option("choice")
    expect(page.get_by_label("Values of this parameter")).to_be_visible()


def test_enter_in_a_field_checks_and_does_not_submit(opened):
    page = opened.page
    page.get_by_label("Trial timeout").fill("5 minits")
    page.get_by_label("Trial timeout").press("Enter")
    expect(page.locator("#f-trial_timeout-error")).to_contain_text("Write it like 90s")
    assert page.url.endswith(NEW)
    assert page.locator("#f-command").get_attribute("aria-invalid") is None


def test_a_refused_submit_keeps_the_page_and_links_lead_to_the_fields(opened):
    page = opened.page
    page.get_by_label("Total trials").fill("0")
    press(page, "Submit sweep")
    expect(page.locator("#error-list")).to_contain_text("Must be from 1 to 100,000, but got 0.")
    page.locator("#error-list").get_by_role("link", name="Total trials").click()
    assert page.evaluate("document.activeElement.id") == "f-max_total_trials"
    assert page.get_by_label("Total trials").input_value() == "0"
    assert not Sweep.objects.exists()
    # The browser's own line about the refusal.
    opened.problems[:] = [text for text in opened.problems if "status of 422" not in text]


def test_an_uploaded_input_is_kept_and_not_sent_again(opened, tmp_path):
    page = opened.page
    (tmp_path / "iris.csv").write_text("a,b")
    press(page, "Add input")
    page.get_by_label("Kind of input 1").select_option("uri_file")
    page.set_input_files("[name=input_file-0]", tmp_path / "iris.csv")
    expect(page.locator(".stored-file")).to_contain_text("iris.csv")
    files = page.locator("#sweep-form input[type=file]")
    counts = "fields => fields.map((field) => field.files.length)"
    assert files.evaluate_all(counts) == [0, 0]


def test_a_dry_run_is_shown_beside_the_form_and_the_form_stays(opened, train):
    page = opened.page
    page.set_input_files("#f-code_file", train)
    expect(page.locator(".note.family-green")).to_be_visible()
    page.get_by_label("Kind of input 1").select_option("value")
    page.get_by_label("Value of input 1").fill("a.csv")
    page.get_by_label("Display name").fill("mine")
    press(page, "Dry-run one trial")
    panel = page.locator("#dry-run")
    expect(panel).to_contain_text("Queued")
    sweep = Sweep.objects.get()
    sweep.trials.create(number=0, status="Failed", reason="exit code 1")
    expect(panel).to_contain_text("exit code 1")
    assert page.get_by_label("Display name").input_value() == "mine"


def test_the_form_fits_a_phone(visit, bob, compute):
    visited = visit(bob, PHONE)
    visited.open(f"{NEW}?example=iris")
    assert not visited.scrolls_sideways()
    expect(visited.page.get_by_role("combobox", name="Go to section")).to_be_visible()
