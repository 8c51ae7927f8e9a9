"""When a chart asks for what it draws, and which answers it draws, in real Chromium."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.charts.test_in_browser import PLOTLY_TAG, address, context, objective_payload
from tests.eventually import eventually

pytestmark = pytest.mark.browser
__all__ = ["address", "context"]

# Answers that take `window.takes` ms, and until `window.held` is over, say what they were asked
# with, and fail while `window.fails`.
_FETCH = """
window.asked = []; window.takes = 30; window.fails = false;
window.fetch = (url, {signal} = {}) => new Promise((done, fail) => {
  window.asked.push(url);
  const answer = {...window.answer, note: `${url} of ${window.revision || 0}`};
  const timer = setTimeout(() => {
    if (window.fails) fail(new TypeError("away"));
    else done({ok: true, redirected: false, json: async () => (await window.held, answer)});
  }, window.takes);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    fail(new DOMException("given up", "AbortError"));
  });
});
window.query = (words) => {
  history.pushState({}, "", words);
  document.dispatchEvent(new CustomEvent("studio:query"));
};
window.news = () => {
  window.revision = (window.revision || 0) + 1;
  document.dispatchEvent(new CustomEvent("studio:news", {detail: {figures: {}}}));
};
"""
_PAGE = f"""<!doctype html><meta charset="utf-8"><title>source</title>
{PLOTLY_TAG}
<script type="module" src="/static/js/charts/charts.js"></script>
<body><section data-chart-frame><p data-chart-note></p>
<div class="chart" id="one" style="height: 300px" data-chart data-src="/one.json"></div>
</section>"""

# Nine charts of 400 px, of which a window of 900 px has three in view, and some more are near it.
_MANY = f"""<!doctype html><meta charset="utf-8"><title>many</title>
<style>html {{ scroll-behavior: smooth }}</style>
{PLOTLY_TAG}
<script type="module" src="/static/js/charts/charts.js"></script>
<body>""" + "".join(
    f"""<section data-chart-frame id="place-{at}" style="height: 400px; overflow: hidden">
<div class="chart" id="c{at}" style="height: 300px" data-chart data-src="/{at}.json"></div>
</section>"""
    for at in range(9)
)
FRAMES = """() => [1, 2, 3].reduce(
  (before) => before.then(() => new Promise((done) => requestAnimationFrame(done))),
  Promise.resolve())"""
_WATCH = """
window.drawn = [];
document.addEventListener("studio:chart-drawn", ({detail}) => {
  window.drawn.push([detail.id, performance.now()]);
}, true);
"""


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    made = context.new_page()
    made.add_init_script(_FETCH + f"window.answer = {json.dumps(objective_payload())};")
    made.route(
        f"{address}source*", lambda route: route.fulfill(body=_PAGE, content_type="text/html")
    )
    made.goto(f"{address}source")
    expect(made.locator("[data-chart-note]")).to_have_text("/one.json of 0")
    yield made
    made.close()


def test_an_answer_that_takes_longer_than_the_news_keeps_coming_is_shown(page: Page) -> None:
    page.evaluate("window.takes = 1500; window.timer = setInterval(window.news, 200)")
    expect(page.locator("[data-chart-note]")).not_to_have_text("/one.json of 0", timeout=8000)


def test_what_the_newest_news_say_is_asked_for_once_the_answer_before_is_there(page: Page) -> None:
    page.evaluate("window.takes = 600; window.query('?a=1')")
    page.evaluate("window.news()")
    expect(page.locator("[data-chart-note]")).to_have_text("/one.json?a=1 of 1")


def test_what_was_asked_with_the_old_address_is_not_shown(page: Page) -> None:
    page.evaluate("window.takes = 400; window.query('?a=1')")
    old = "{...window.answer, note: 'of the old address'}"
    page.evaluate(f"window.studioCharts.update('one', {old}, '')")
    expect(page.locator("[data-chart-note]")).to_have_text("/one.json?a=1 of 0")
    page.evaluate(f"window.studioCharts.update('one', {old}, '?a=1')")
    expect(page.locator("[data-chart-note]")).to_have_text("of the old address")


def test_a_chart_that_stands_asks_again_after_an_answer_that_failed(page: Page) -> None:
    page.evaluate("window.fails = true; window.query('?a=1')")
    failed = "window.asked.length === 2 && !document.querySelector('[aria-busy]')"
    eventually(page, lambda: page.evaluate(failed))
    page.evaluate("window.fails = false")
    expect(page.locator("[data-chart-note]")).to_have_text("/one.json?a=1 of 0", timeout=8000)


@pytest.fixture
def many(context: BrowserContext, address: str) -> Iterator[Page]:
    made = context.new_page()
    made.add_init_script(_FETCH + _WATCH + f"window.answer = {json.dumps(objective_payload())};")
    made.route(f"{address}many", lambda route: route.fulfill(body=_MANY, content_type="text/html"))
    yield made
    made.close()


def test_the_chart_that_the_address_names_comes_first(many: Page, address: str) -> None:
    many.goto(f"{address}many#place-6")
    many.wait_for_selector("#c5.is-drawn")
    asked = many.evaluate("window.asked")
    assert asked[0] == "/6.json"
    assert not {"/0.json", "/1.json"} & set(asked)
    assert many.evaluate("window.drawn[0][0]") == "c6"


def test_an_address_that_cannot_be_decoded_names_no_place(many: Page, address: str) -> None:
    many.goto(f"{address}many#%zz")
    many.wait_for_selector("#c1.is-drawn")
    assert many.evaluate("window.asked[0]") == "/1.json"


def test_charts_come_from_the_middle_of_the_screen_outwards(many: Page, address: str) -> None:
    many.goto(f"{address}many")
    many.wait_for_selector("#c2.is-drawn")
    assert many.evaluate("window.asked.slice(0, 3)") == ["/1.json", "/0.json", "/2.json"]
    assert many.evaluate("window.drawn.map(([id]) => id).slice(0, 1)") == ["c1"]


def test_what_was_scrolled_past_before_its_turn_is_not_asked_for(many: Page, address: str) -> None:
    many.add_init_script("window.held = new Promise((done) => { window.release = done; })")
    many.goto(f"{address}many")
    eventually(many, lambda: many.evaluate("window.asked.length"), lambda count: count == 2)
    many.evaluate("scrollTo({top: 9999, behavior: 'instant'})")
    many.evaluate(FRAMES)  # an observer speaks after a frame
    many.evaluate("window.release()")
    many.wait_for_selector("#c7.is-drawn")
    assert not {"/2.json", "/3.json"} & set(many.evaluate("window.asked"))
