"""Parallel coordinates in real Chromium: brush, reorder, keys, links, live updates meanwhile."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.domain.made_up import MadeUp
from sweeps.domain.space import Choice, LogUniform, SearchSpace, Uniform
from sweeps.models import Sweep
from sweeps.services.made_up import synthesize
from tests.api.acts import end, log, play, start
from tests.browser.conftest import PHONE, Visit
from tests.eventually import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visitor = Callable[..., Visit]
SPACE = SearchSpace(
    (("lr", LogUniform(-9.0, 0.0)), ("drop", Uniform(0, 1)), ("kind", Choice(("gbdt", "dart"))))
)


@pytest.fixture
def started(make_sweep: Any, now: Any) -> Sweep:
    """Of 12 trials 0 to 7 have ended, 2 without a value."""
    sweep: Sweep = make_sweep(
        command="python train.py ${{search_space.lr}} ${{search_space.kind}}",
        limits=Limits(12, 1, 3600),
        search_space=SPACE,
    )
    play(sweep, now, [0.4, 0.2, None, 0.7, 0.5, 0.3, None, 0.6])
    return sweep


def path(sweep: Sweep, page: str = "trials/", query: str = "") -> str:
    return f"/w/default/sweeps/{sweep.name}/{page}{query}"


def drawn(page: Page) -> None:
    page.locator("#chart-parallel").scroll_into_view_if_needed()
    expect(page.locator("#chart-parallel.is-drawn")).to_have_count(1)
    expect(page.locator(".axis-track")).to_have_count(4)


def name_of(page: Page, key: str) -> Locator:
    return page.locator(f'.axis-name[data-key="{key}"]')


def track(page: Page, index: int) -> dict[str, float]:
    box = page.locator(".axes > .axis-track").nth(index).bounding_box()
    assert box
    return {**box, "middle": box["x"] + box["width"] / 2}  # type: ignore[dict-item]


def brush(page: Page, index: int, first: float, last: float, release: bool = True) -> None:
    """Drag along an axis between two shares of its length, from the top."""
    box = track(page, index)
    page.mouse.move(box["middle"], box["y"] + first * box["height"])
    page.mouse.down()
    page.mouse.move(box["middle"], box["y"] + last * box["height"], steps=4)
    if release:
        page.mouse.up()


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def lands(page: Page, holds: Callable[[str], bool]) -> None:
    """Wait until the address's query, decoded, is such."""
    eventually(page, lambda: str(page.evaluate("decodeURIComponent(location.search)")), holds)


def rows(sweep: Sweep, low: float, high: float) -> set[str]:
    return {str(t.number) for t in sweep.trials.all() if low <= t.flat_params["lr"] <= high}


def shown(page: Page) -> set[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('#job-trials tr[data-trial]')].map((r) => r.dataset.trial)"
    )
    return set(found)


def order(page: Page) -> list[str]:
    names: list[str] = page.evaluate(
        """document.querySelector("#chart-parallel .chart-plot").layout.meta.axes
             .map(({ name }) => name)"""
    )
    return names


def test_a_band_by_mouse_selects_in_address_chips_and_table_and_back_takes_it_back(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started))
    drawn(page)
    everything = shown(page)
    brush(page, 0, 0.15, 0.6)
    lands(page, lambda words: "in=" in words)
    [word] = query(page)["in"]
    key, _, bounds = word.partition(":")
    low, high = map(float, bounds.split(".."))
    assert key == "params.lr"
    expect(page.locator("#job-selection .filter-chip")).to_have_count(1)
    expect(page.locator("#job-selection")).to_contain_text("lr")
    wanted = rows(started, low, high)
    assert wanted
    assert wanted < everything
    eventually(page, lambda: shown(page), lambda numbers: numbers == wanted)
    expect(page.locator("[data-chart-note]")).to_contain_text("selected, the others faint")

    # The band is taken by its middle and moved, then by its upper end.
    brush(page, 0, 0.4, 0.5)
    lands(page, lambda words: word not in words)
    [moved] = query(page)["in"]
    assert float(moved.partition(":")[2].split("..")[0]) < low
    page.go_back()
    expect(page.locator(".axis-band")).to_have_count(1)
    assert query(page)["in"] == [word]
    page.go_back()
    expect(page.locator(".axis-band")).to_have_count(0)
    expect(page.locator("#job-selection .filter-chip")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
def test_chips_stay_in_sight_and_their_count_is_not_the_old_one(
    visit: Visitor, bob: User, started: Sweep, phone: bool
) -> None:
    seen = visit(bob, viewport=PHONE) if phone else visit(bob)
    page = seen.page
    seen.open(path(started, "", "?in=params.lr:0.1.."))
    drawn(page)
    page.locator("#job-trials").scroll_into_view_if_needed()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    chips = page.locator("#job-selection .chips")
    expect(chips).to_be_in_viewport()
    assert not seen.scrolls_sideways()
    # In one step, since the new count may be there by the next.
    assert page.evaluate(
        """() => {
            window.studioQuery.go(new URLSearchParams("?in=params.lr:0.3.."));
            return document.querySelector(".chips > b").classList.contains("is-asked");
        }"""
    )
    expect(chips.locator("b.is-asked")).to_have_count(0)
    count = len(rows(started, 0.3, 1e9))
    expect(chips.locator("b")).to_have_text(f"{count} of {started.planned} shown")


def test_choices_and_what_is_missing_are_selected_by_a_click_and_escape_clears(
    visit: Visitor, bob: User, started: Sweep
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started))
    drawn(page)
    box = page.locator(".axes > .axis-track").nth(2).bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.25)
    lands(page, lambda words: "is=" in words)
    assert query(page)["is"] == ["params.kind:dart"]
    last = page.locator(".axis-track").nth(3).bounding_box()
    assert last
    page.mouse.click(last["x"] + last["width"] / 2, last["y"] + last["height"] - 10)
    lands(page, lambda words: "no=" in words)
    assert query(page)["no"] == ["objective"]
    expect(page.locator(".axis-band")).to_have_count(2)
    page.mouse.move(5, 5)
    page.keyboard.press("Escape")
    lands(page, lambda words: words == "")
    expect(page.locator(".axis-band")).to_have_count(0)
    page.get_by_role("button", name="no value: ").click()
    lands(page, lambda words: "no=objective" in words)
    expect(page.get_by_role("button", name="no value: ")).to_have_attribute("aria-pressed", "true")


def test_a_pasted_address_shows_its_bands_order_and_picks(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, "", "?in=params.drop:0.2..0.9&axes=kind,drop&t=3"))
    page.locator("#chart-parallel").scroll_into_view_if_needed()
    expect(page.locator(".axis-track")).to_have_count(3)
    expect(page.locator(".axis-band")).to_have_count(1)
    assert order(page) == ["kind", "drop", "loss"]
    assert name_of(page, "params.drop").get_attribute("aria-label") == "drop, uniform: 0.2 to 0.9"
    expect(page.locator(".axes-menu summary")).to_have_text("Axes 3 of 4")
    expect(page.locator("#chart-parallel .chart-keys")).to_contain_text("#3")


def test_news_during_a_brush_waits_and_disturbs_nothing(
    visit: Visitor, bob: User, started: Sweep, now: Any
) -> None:
    seen = visit(bob)
    page = seen.page
    seen.open(path(started, "", "?axes=drop,lr,kind"))
    drawn(page)
    name_of(page, "params.kind").focus()
    before = page.locator("[data-chart-note]", has_text="all 8 trials")
    expect(before).to_have_count(1)
    brush(page, 1, 0.1, 0.5, release=False)
    expect(page.locator("#chart-parallel.is-brushing .axis-live")).to_contain_text("of 8 lines")
    later = now + timedelta(minutes=2)
    attempt = start(started.trials.get(status="Queued").pk, later)
    log(attempt, [0.1])
    end(attempt, later + timedelta(seconds=4))
    expect(page.locator("#job-progress h2")).to_contain_text("9 of 12")
    expect(before).to_have_count(1)
    expect(page.locator("#chart-parallel.is-brushing .axis-band")).to_have_count(1)
    page.mouse.up()
    expect(page.locator("[data-chart-note]", has_text="of 9 trials selected")).to_have_count(1)
    expect(page.locator(".axis-band")).to_have_count(1)
    assert order(page) == ["drop", "lr", "kind", "loss"]
    assert page.evaluate("document.activeElement.dataset.key") == "params.kind"


def test_axes_move_by_mouse_and_by_keys_and_hide(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, ""))
    drawn(page)
    first, third = (name_of(page, f"params.{k}").bounding_box() for k in ("lr", "kind"))
    assert first
    assert third
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 8)
    page.mouse.down()
    page.mouse.move(third["x"] + third["width"] / 2 + 20, first["y"] + 8, steps=5)
    page.mouse.up()
    lands(page, lambda words: "axes=" in words)
    assert query(page)["axes"] == ["drop,kind,lr"]
    name_of(page, "params.lr").focus()
    page.keyboard.press("Control+ArrowLeft")
    lands(page, lambda words: "axes=drop,lr,kind" in words)
    assert page.evaluate("document.activeElement.dataset.key") == "params.lr"
    page.keyboard.press("Control+ArrowLeft")
    # The declared order needs no words.
    lands(page, lambda words: "axes=" not in words)
    page.locator(".axes-menu summary").click()
    page.locator(".axes-menu").get_by_label("drop").uncheck()
    expect(page.locator(".axis-track")).to_have_count(3)
    assert order(page) == ["lr", "kind", "loss"]


def test_the_objective_moves_and_hides_like_any_other_axis(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, ""))
    drawn(page)
    name_of(page, "objective").focus()
    page.keyboard.press("Control+ArrowLeft")
    lands(page, lambda words: "axes=" in words)
    assert query(page)["axes"] == ["lr,drop,*,kind"]
    assert page.evaluate("document.activeElement.dataset.key") == "objective"
    expect(page.get_by_role("status").filter(has_text="loss is axis 3 of 4")).to_have_count(1)
    eventually(page, lambda: order(page), lambda names: names[2] == "loss")
    first, own = (name_of(page, key).bounding_box() for key in ("params.lr", "objective"))
    assert first
    assert own
    page.mouse.move(own["x"] + own["width"] / 2, own["y"] + 8)
    page.mouse.down()
    page.mouse.move(first["x"] - 10, own["y"] + 8, steps=5)
    page.mouse.up()
    lands(page, lambda words: "axes=*" in words)
    eventually(page, lambda: order(page), lambda names: names[0] == "loss")
    assert order(page) == ["loss", "lr", "drop", "kind"]
    page.locator(".axes-menu summary").click()
    page.locator(".axes-menu").get_by_label("loss").uncheck()
    expect(page.locator(".axis-track")).to_have_count(3)
    # Everything else stands as declared, which is said because the objective is not there.
    assert query(page)["axes"] == ["lr,drop,kind,-"]
    expect(page.locator(".axes-menu summary")).to_have_text("Axes 3 of 4")
    page.locator(".axes-menu").get_by_label("loss").check()
    lands(page, lambda words: "axes=" not in words)
    expect(page.locator(".axis-track")).to_have_count(4)
    eventually(page, lambda: order(page), lambda names: names == ["lr", "drop", "kind", "loss"])


def test_the_form_of_an_axis_selects_by_keyboard_alone(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita, PHONE)
    page = seen.page
    seen.open(path(started, ""))
    drawn(page)
    name_of(page, "params.lr").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="From")).to_be_focused()
    page.keyboard.type("a lot")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Write a number")
    page.get_by_role("textbox", name="From").fill("0.001")
    page.keyboard.press("Enter")
    lands(page, lambda words: "in=" in words)
    assert query(page)["in"] == ["params.lr:0.001.."]
    expect(name_of(page, "params.lr")).to_be_focused()
    assert not seen.scrolls_sideways()


def test_a_band_over_a_density_shows_what_it_would_select_and_escape_takes_it_back(
    visit: Visitor, rita: User, workspace: Any, compute: Any, now: Any
) -> None:
    made = MadeUp(trials=620, params=3, metrics=1, points=1)
    rng = random.Random(1)
    sweep = synthesize(workspace, made, compute=compute, user=None, now=now, rng=rng)
    seen = visit(rita)
    page = seen.page
    seen.open(path(sweep))
    drawn(page)
    note = page.locator("[data-chart-note]").first
    expect(note).to_contain_text("density of all 620 trials")
    picture = """document.querySelector("#chart-parallel .chart-plot").layout.images[0].source"""
    whole = page.evaluate(picture)
    brush(page, 1, 0.1, 0.98, release=False)
    expect(note).to_contain_text("selected of 620 trials, the others as a ground")
    expect(page.locator(".axis-live")).to_contain_text("single lines")
    assert page.evaluate(picture) != whole
    assert "in=" not in page.url
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(note).to_contain_text("density of all 620 trials")
    eventually(page, lambda: page.evaluate(picture), lambda source: source == whole)
    assert "in=" not in page.url


def test_on_paper_charts_are_light_and_as_wide_as_a_sheet_and_back_again(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita, color_scheme="dark")
    page = seen.page
    seen.open(path(started, ""))
    drawn(page)
    look = """(name) => {
        if (name) window.dispatchEvent(new Event(name));
        const plot = document.querySelector("#chart-parallel .chart-plot");
        const text = plot.querySelector(".annotation-text");
        return [getComputedStyle(text).fill, plot._fullLayout.width];
    }"""
    before = page.evaluate(look)
    fill, width = page.evaluate(look, "beforeprint")
    assert fill == "rgb(24, 32, 48)" != before[0]
    assert width <= 660 < before[1]
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    eventually(page, lambda: page.evaluate(look), lambda found: found == before)


def test_which_curves_are_drawn_is_marked_and_keeps_the_selection(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, "", "?status=Completed"))
    drawn(page)
    switch = page.locator("[data-chart-frame] .segmented", has_text="best 5")
    marked = switch.locator("[aria-current]")
    expect(marked).to_have_text(["best 5"])
    switch.get_by_role("link", name="all").click()
    expect(marked).to_have_text(["all"])
    assert query(page) == {"status": ["Completed"], "curves": ["all"]}
    page.go_back()
    expect(marked).to_have_text(["best 5"])


def test_the_bar_of_ticked_trials_is_the_foot_of_a_phone_and_says_nothing_of_none(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita, PHONE)
    page = seen.page
    seen.open(path(started, "", "?t=1,2"))
    bar = page.locator("#bulk-form")
    expect(bar).to_contain_text("2 selected")
    box = bar.bounding_box()
    assert box
    assert box["x"] == 0
    assert box["width"] == PHONE["width"]
    assert box["y"] + box["height"] == PHONE["height"]
    assert box["height"] < 64

    def foot_of_the_last_card() -> float:
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        last = page.locator("main .card").last.bounding_box()
        assert last
        return last["y"] + last["height"]

    # Charts that are drawn now make the page longer.
    eventually(page, foot_of_the_last_card, lambda foot: foot <= box["y"])
    assert not seen.scrolls_sideways()
    seen.open(path(started, "", "?t=999"))
    expect(bar).to_have_count(0)


def test_a_picture_to_keep_has_its_texts_backed_like_the_page(
    visit: Visitor, rita: User, started: Sweep
) -> None:
    seen = visit(rita)
    page = seen.page
    seen.open(path(started, ""))
    drawn(page)
    frame = page.locator("[data-chart-frame]", has=page.locator("#chart-parallel"))
    frame.get_by_label("Download").click()
    with page.expect_download() as found:
        frame.get_by_role("button", name="SVG drawing").click()
    assert found.value.suggested_filename == f"{started.name}-parallel.svg"
    picture = found.value.path().read_text()
    assert f"Parallel coordinates · {started.name}" in picture
    texts = [part for part in picture.split("<text")[1:] if "dart" in part.split("</text>")[0]]
    assert texts
    assert all("text-shadow" in part.split("</text>")[0] for part in texts)
