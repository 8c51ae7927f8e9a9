"""The job page in real Chromium: live without a reload, clean, and fit for a phone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.models import Sweep, Trial
from sweeps.queries.places import spool_of
from sweeps.services import sweeps
from tests.api.acts import CRASH, end, log, play, start
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.eventually import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visitor = Callable[..., Visit]


@pytest.fixture
def started(make_sweep: Any, now: Any) -> Sweep:
    """Of 8 trials: 0 and 1 completed (0.4, 0.2), 2 failed, 3 is queued; one at a time."""
    sweep: Sweep = make_sweep(limits=Limits(8, 1, 3600))
    play(sweep, now, [0.4, 0.2, None])
    return sweep


def path(sweep: Sweep, page: str = "") -> str:
    return f"/w/default/sweeps/{sweep.name}/{page}"


def drawn(page: Page, chart: str) -> None:
    expect(page.locator(f"#{chart}.is-drawn")).to_have_count(1)


def colours(page: Page, chart: str) -> list[str]:
    """Line and marker colours of a drawn chart's traces."""
    found: list[str] = page.evaluate(
        """(id) => document.querySelector(`#${id} .chart-plot`).data.flatMap((trace) =>
             [trace.line?.color, trace.marker?.color, trace.marker?.line?.color].flat()
               .filter((color) => typeof color === "string"))""",
        chart,
    )
    return found


def wears(page: Page, chart: str, colour: str) -> None:
    """Wait until a trace of the chart has this colour."""
    eventually(page, lambda: colours(page, chart), lambda found: colour in found)


def points(page: Page, chart: str) -> int:
    count: int = page.evaluate(
        """(id) => document.querySelector(`#${id} .chart-plot`).data
             .reduce((sum, trace) => sum + (trace.x?.length || 0), 0)""",
        chart,
    )
    return count


def token(page: Page, name: str) -> str:
    value: str = page.evaluate(
        "(name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()", name
    )
    return value


def test_new_values_appear_without_a_reload(
    visit: Visitor, bob: User, started: Sweep, now: Any
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started))
    drawn(page, "chart-objective")
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#job-progress h2")).to_have_text("3 of 8 trials done")
    expect(page.locator(".best-value")).to_have_text("0.200000")
    expect(page.locator("tr.is-best-row")).to_have_attribute("data-trial", "1")
    before = points(page, "chart-objective")

    later = now + timedelta(minutes=2)
    attempt = start(started.trials.get(number=3).pk, later)
    log(attempt, [0.5, 0.05])
    expect(page.locator("#trial-row-3 .status")).to_have_text("Running")
    end(attempt, later + timedelta(seconds=4))
    expect(page.locator("#job-progress h2")).to_have_text("4 of 8 trials done")
    expect(page.locator(".best-value")).to_have_text("0.0500000")
    expect(page.locator("tr.is-best-row")).to_have_attribute("data-trial", "3")
    expect(page.locator("tr.is-best-row svg.icon")).not_to_have_count(0)
    expect(page.locator("#job-best")).to_contain_text("#3")
    eventually(page, lambda: points(page, "chart-objective"), lambda count: count > before)
    assert page.evaluate("window.sameDocument") is True


def test_the_end_of_the_sweep_stops_the_asking(
    visit: Visitor, bob: User, make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(1, 1, 3600))
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    seen = visit(bob)
    seen.open(path(sweep))
    expect(seen.page.locator("[data-live-word]")).to_have_text("Live")
    log(attempt, [0.3])
    end(attempt, now)
    sweeps.advance(sweep.pk, now)
    expect(seen.page.locator("#job-status .status")).to_have_text("Completed")
    expect(seen.page.locator("[data-live-word]")).to_have_count(0)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.wait_for_timeout(2500)
    assert asked == []


def test_the_best_line_has_the_reserved_colour_in_either_theme(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, "charts/"))
    best = {}
    for theme in ("first", "other"):
        for chart in ("chart-objective", "chart-parallel", "chart-curves"):
            drawn(page, chart)
            colour = token(page, "--best")
            wears(page, chart, colour)
        best[theme] = colour
        page.locator(".theme-toggle").click()
    assert best["first"] != best["other"]


def test_ticked_trials_stand_in_the_address_and_are_compared(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, "trials/?sort=number"))
    bar = page.locator(".selection-bar")
    expect(bar).to_have_count(0)
    page.locator("#trial-row-0 input").check()
    expect(bar.locator("b")).to_have_text("1 selected")
    expect(bar.locator("a[data-compare]")).to_have_count(0)
    page.locator("#trial-row-2 input").click(modifiers=["Shift"])
    expect(bar.locator("b")).to_have_text("3 selected")
    page.wait_for_url("**/trials/?sort=number&t=0%2C1%2C2")
    page.locator("#trial-row-1 input").uncheck()
    expect(bar.locator(".picked-trial")).to_have_text(["#0", "#2"])
    page.reload()
    expect(page.locator("#trial-row-2 input")).to_be_checked()
    page.get_by_role("link", name="Only these").click()
    expect(page.locator("tbody tr[data-trial]")).to_have_count(2)
    bar.locator("[data-compare]").click()
    page.wait_for_url("**/compare/?t=0%2C2")
    expect(page.locator("th.trial")).to_have_count(2)
    drawn(page, "chart-compare")


def test_all_that_match_are_pinned_and_columns_are_picked(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started, "trials/?status=Completed"))
    page.locator("[data-tick-all]").check()
    bar = page.locator(".selection-bar")
    expect(bar.locator("b")).to_have_text("2 selected")
    bar.locator("select").select_option("all")
    bar.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_text("2 trials are pinned.")).to_be_visible()
    expect(page.locator("tbody .pin-mark")).to_have_count(2)
    assert list(started.trials.filter(pinned=True).values_list("number", flat=True)) == [0, 1]

    page.evaluate("window.sameDocument = true")
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="lr").uncheck()
    page.get_by_role("button", name="Move Duration to the left").click()
    page.get_by_role("button", name="Apply").click()
    heads = page.locator("thead th")
    expect(heads.last).to_have_text("Reports")
    expect(heads.filter(has_text="lr")).to_have_count(0)
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Field").select_option("params.boosting")
    page.get_by_label("From").fill("a")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Must be a number, such as 0.05 or 1e-4.")
    page.get_by_label("From").fill("")
    page.get_by_label("or the value").fill("nothing")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_text("No trial fits these filters.")).to_be_visible()
    assert page.evaluate("window.sameDocument") is True
    seen.open(path(started, "trials/"))  # this browser remembers the columns
    expect(heads.last).to_have_text("Reports")


def test_what_the_bar_offers_follows_the_choice_of_trials(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    seen.open(path(started, "trials/?t=0"))
    bar = seen.page.locator(".selection-bar")
    expect(bar.get_by_role("button", name="None to re-run")).to_be_disabled()
    expect(bar.get_by_role("button", name="None to cancel")).to_be_disabled()
    bar.locator("select").select_option("all")
    expect(bar.get_by_role("button", name="Cancel 1 queued")).to_be_enabled()
    bar.get_by_role("button", name="Re-run 1").click()
    expect(seen.page.get_by_role("heading", name="Run 1 trial again?")).to_be_visible()


def test_ticks_stay_while_rows_come_and_move(
    visit: Visitor, bob: User, started: Sweep, now: Any
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started))
    page.locator("#trial-row-0 input").check()
    page.locator("#trial-row-2 input").check()
    later = now + timedelta(minutes=2)
    attempt = start(started.trials.get(number=3).pk, later)
    log(attempt, [0.05])
    end(attempt, later)
    expect(page.locator("tr.is-best-row")).to_have_attribute("data-trial", "3")
    ticked = page.locator("input[form=compare-form]:checked")
    expect(ticked).to_have_count(2)
    assert {box.get_attribute("value") for box in ticked.all()} == {"0", "2"}
    expect(page.locator(".selection-bar")).to_be_visible()
    expect(page.locator("#trial-row-0")).to_contain_class("is-selected")


def test_running_a_failed_trial_again_from_its_row(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    seen.open(path(started, "trials/"))
    seen.page.locator("#trial-reason-2 button").click()
    seen.page.wait_for_url("**/trials/2/")
    assert Trial.objects.get(sweep=started, number=2).status == "Queued"


def test_the_table_is_found_by_text_without_leaving_the_page(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, "trials/?sort=-number"))
    page.locator("input[type=search]").fill("exit code")
    expect(page.locator("tbody tr[data-trial]")).to_have_count(1)
    assert "sort=-number" in page.url
    assert "q=exit" in page.url
    expect(page.locator("input[type=search]")).to_be_focused()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_scrolls_sideways(
    visit: Visitor, bob: User, started: Sweep, viewport: dict[str, int]
) -> None:
    seen = visit(bob, viewport)
    pages = ["", "trials/", "charts/", "compare/?t=0,1,2", "logs/", "config/", "trials/1/"]
    for page in pages:
        seen.open(path(started, page))
        assert not seen.scrolls_sideways(), page


def test_a_trial_is_watched_to_its_end(
    visit: Visitor, bob: User, sweep: Sweep, now: Any, tmp_path: Any
) -> None:

    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now, tmp_path)
    spool_of(attempt).mkdir(parents=True)
    stdout = spool_of(attempt) / "stdout.log"
    stdout.write_text("epoch 1\n<script>alert(1)</script>\n")
    seen = visit(bob)
    page = seen.page
    seen.open(path(sweep, "trials/0/"))
    lines = page.locator("[data-log-lines] .line")
    expect(lines).to_have_count(2)
    expect(lines.nth(1)).to_contain_text("<script>alert(1)</script>")
    with stdout.open("a") as file:
        file.write("10%\r100%\nlast")
    expect(lines).to_have_count(4)
    expect(lines.nth(2).locator("span")).to_have_text("100%")
    log(attempt, [0.5, 0.25])
    expect(page.locator("#trial-objective .best-value")).to_contain_text("0.25")
    drawn(page, "chart-trial")
    end(attempt, now, CRASH)
    expect(page.locator("#trial-status .status").first).to_have_text("Failed")
    expect(page.locator("#trial-objective")).to_contain_text("exit code 1")


def test_the_docs_of_the_api_draw_under_our_policy(visit: Visitor, db: None) -> None:
    seen = visit()
    seen.open("/api/v1/docs")
    expect(seen.page.locator(".opblock").first).to_be_visible()
    assert seen.page.locator(".opblock").count() >= 12
