"""Steering a sweep in real Chromium: double clicks, two tabs, keys, edits, picked trials."""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space_doc import parse_space
from sweeps.models import EngineLease, Revision, StateChange, Sweep
from sweeps.services.conditions import set_condition
from sweeps.services.edits import edit_sweep
from tests.api.acts import play, start
from tests.browser.conftest import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visitor = Callable[..., Visit]


@pytest.fixture
def running(make_sweep: Any, now: Any) -> Sweep:
    """Of 8 trials: 0.4, 0.2 and a failure; trial 3 runs; one at a time."""
    sweep: Sweep = make_sweep(limits=Limits(8, 1, 3600))
    play(sweep, now, [0.4, 0.2, None])
    start(sweep.trials.get(number=3).pk, now + timedelta(minutes=1))
    return sweep


def path(sweep: Sweep, page: str = "") -> str:
    return f"/w/default/sweeps/{sweep.name}/{page}"


def button(page: Page, label: str) -> Any:
    return page.locator("#job-actions").get_by_role("button", name=label, exact=True)


def status(page: Page) -> Any:
    return page.locator("#job-status .status").first


def changes(sweep: Sweep, to: str) -> int:
    return StateChange.objects.filter(sweep=sweep, trial=None, after=to).count()


def test_a_double_click_pauses_once_and_resume_goes_on(
    visit: Visitor, bob: User, running: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(running))
    button(page, "Pause").dblclick()
    expect(status(page)).to_have_text("Paused")
    expect(page.locator("#job-notice")).to_contain_text("Paused by bob")
    assert changes(running, "Paused") == 1
    button(page, "Resume").click()
    expect(status(page)).to_have_text("Running")
    expect(page.locator("#job-notice .note")).to_have_count(0)


def test_two_tabs_that_press_the_same_button_do_it_once(
    visit: Visitor, alice: User, bob: User, running: Sweep
) -> None:
    first, second = visit(alice), visit(bob)
    # The second tab does not hear of it.
    second.page.route("**/live?*", lambda route: route.fulfill(status=204))
    for seen in (first, second):
        seen.open(path(running))
    button(first.page, "Stop").click()
    dialog = first.page.locator("#confirm")
    expect(dialog).to_contain_text("1 running trial finishes, the remaining 4 never start")
    dialog.get_by_role("button", name="Stop sweep").click()
    expect(status(first.page)).to_have_text("Stopping")
    expect(status(second.page)).to_have_text("Running")
    second.page.locator('form[action$="/stop"]').evaluate("(form) => form.submit()")
    expect(status(second.page)).to_have_text("Stopping")
    running.refresh_from_db()
    assert running.reason == "Stopped by alice."
    assert changes(running, "Stopping") == 1


def test_another_persons_pause_comes_by_itself(
    visit: Visitor, alice: User, bob: User, running: Sweep
) -> None:
    first, second = visit(alice), visit(bob)
    for seen in (first, second):
        seen.open(path(running))
    button(first.page, "Pause").click()
    expect(button(second.page, "Resume")).to_be_visible()
    expect(second.page.locator("#job-notice")).to_contain_text("Paused by alice")


def test_asking_first_and_keeping_it(visit: Visitor, bob: User, running: Sweep) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(running))
    button(page, "Cancel").click()
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("1 running trial is killed now")
    dialog.get_by_role("button", name="Keep it running").click()
    expect(dialog).to_be_hidden()
    running.refresh_from_db()
    assert running.desired == "run"


def test_keys_steer(visit: Visitor, bob: User, running: Sweep) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(running))
    page.keyboard.press("p")
    expect(status(page)).to_have_text("Paused")
    page.keyboard.press("Shift+S")
    expect(page.locator("#confirm")).to_contain_text("Stop this sweep?")
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    page.keyboard.press("e")
    page.wait_for_url("**/edit")


def test_an_edit_is_made_and_drawn(visit: Visitor, bob: User, running: Sweep) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(running))
    page.locator("#job-actions").get_by_role("link", name="Edit").click()
    page.get_by_label("Total trials").fill("12")
    page.locator("#early-part").get_by_text("Bandit", exact=True).click()
    page.get_by_label("Slack", exact=True).fill("20")
    page.get_by_label("Slack", exact=True).press("Tab")
    expect(page.locator("#policy-words")).to_contain_text("more than 20 % above the best")
    page.get_by_role("button", name="Save changes").last.dblclick()
    page.wait_for_url(f"**{path(running)}")
    expect(page.locator("#job-progress h2")).to_have_text("3 of 12 trials done")
    assert Revision.objects.count() == 1
    expect(page.locator("#chart-objective")).to_contain_text("max trials 8 → 12")
    expect(page.locator("#chart-objective")).to_contain_text("by bob")
    seen.open(path(running, "config/"))
    expect(page.locator(".revisions")).to_contain_text("max trials 8 → 12; early termination none")


def test_a_trial_is_added_from_the_best_one_by_a_double_click_once(
    visit: Visitor, bob: User, running: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(running, "trials/"))
    page.get_by_role("link", name="Add trial").click()
    page.get_by_role("button", name="Try this point next").dblclick()
    page.wait_for_url("**/trials/4/")
    expect(page.locator("#trial-facts")).to_contain_text("picked by bob")
    picked = running.trials.filter(picked_by="bob")
    assert [trial.params for trial in picked] == [running.trials.get(number=1).params]


def test_a_banner_comes_to_a_page_that_is_open(
    visit: Visitor, rita: User, running: Sweep, now: Any
) -> None:
    for name in ("engine", "queue"):
        lease = {"expires_at": timezone.now() + timedelta(hours=1), "beat_at": timezone.now()}
        EngineLease.objects.create(name=name, owner="a test", **lease)
    seen = visit(rita)
    seen.open(path(running))
    expect(seen.page.locator("#nav-notices .note")).to_have_count(0)
    set_condition("disk", "The disk is nearly full.", now)
    expect(seen.page.locator("#nav-notices")).to_contain_text("The disk is nearly full.")


def test_failures_lead_to_their_trials(visit: Visitor, rita: User, running: Sweep) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(running))
    page.locator(".failure-list").get_by_role("link", name="Show").click()
    expect(page.locator("tbody tr[data-trial]")).to_have_count(1)
    expect(page.locator(".filter-chip")).to_contain_text("failure")
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("tbody tr[data-trial]")).to_have_count(4)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_scrolls_sideways(
    visit: Visitor, bob: User, running: Sweep, now: Any, viewport: dict[str, int]
) -> None:
    running.trials.filter(number=2).update(signature="x" * 300)
    set_condition("disk", f"The disk is nearly full: {'/folder' * 40}", now)
    seen = visit(bob, viewport)
    for page in ("", "trials/", "edit", "trials/new", "config/", "trials/3/"):
        seen.open(path(running, page))
        assert not seen.scrolls_sideways(), page


# What is seen of the words of edits, and where; those of the best trial lie in the way as well.
WORDS = """() => [...document.querySelectorAll('#chart-objective .annotation, ' +
    '#chart-objective .scatterlayer text')].filter((one) => one.style.display !== 'none').map(
    (one) => { const box = one.getBoundingClientRect();
               return [box.left, box.top, box.right, box.bottom, one.textContent]; })"""
LINES = """() => document.querySelector('#chart-objective .chart-plot')
    ._fullLayout.shapes.filter((shape) => shape.type === 'line').length"""


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_words_of_edits_never_lie_on_each_other(
    visit: Visitor, bob: User, make_sweep: Any, now: Any, viewport: dict[str, int], goal: str
) -> None:
    sweep = make_sweep(limits=Limits(60, 1, 3600), objective=Objective("loss", Goal(goal)))
    for edit in range(6):
        play(sweep, now + timedelta(minutes=edit), [0.4 - edit / 50] * 2)
        changes = {"max_total_trials": 61 + edit, "timeout": 3700 + edit}
        edit_sweep(sweep, changes, actor="bob the builder", now=now)
    seen = visit(bob, viewport)
    seen.open(path(sweep))
    expect(seen.page.locator("#chart-objective.is-drawn")).to_be_visible()
    words = seen.page.evaluate(WORDS)
    for one, other in combinations(words, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    width = viewport["width"]
    assert all(left >= 0 and right <= width for left, _, right, _, _ in words)
    assert seen.page.evaluate(LINES) == 6
    # The newest edit is the last to go.
    assert any("max trials 65 → 66" in text for *_, text in words)


NESTED = {
    "lr": {"type": "uniform", "min_value": 0, "max_value": 1},
    "model": {
        "type": "choice",
        "values": [
            {"value": "svm", "c": {"type": "uniform", "min_value": 0, "max_value": 1}},
            {"value": "tree", "leaves": {"type": "randint", "upper": 9}},
        ],
    },
}


def test_back_to_the_form_of_a_point_shows_one_point_and_not_a_mix_of_two(
    visit: Visitor, bob: User, make_sweep: Any
) -> None:
    command = "python t.py ${{search_space.lr}} ${{search_space.model.value}}"
    sweep = make_sweep(search_space=parse_space(NESTED), command=command)
    seen = visit(bob)
    page = seen.page
    seen.open(path(sweep, "trials/new"))

    def point() -> list[str]:
        shown = "#pick-form [name^=first-]:not([type=hidden])"
        values: list[str] = page.eval_on_selector_all(shown, "all => all.map(one => one.value)")
        return values

    began = point()
    page.get_by_label("lr").fill("0.125")
    page.get_by_label("model", exact=True).select_option("tree")
    expect(page.get_by_label("leaves")).to_be_visible()
    page.get_by_label("leaves").fill("3")
    picked = point()
    page.get_by_role("button", name="Try this point next").click()
    page.wait_for_url("**/trials/0/")
    page.go_back(wait_until="load")
    assert point() in (began, picked)
