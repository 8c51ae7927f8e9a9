"""Charts in real Chromium, under the studio's own content security policy."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from studio.security_headers import CONTENT_SECURITY_POLICY
from sweeps.charts.cards import trial_cards
from sweeps.charts.colouring import colour_by
from sweeps.charts.figure import payload
from sweeps.charts.history_figure import objective_figure
from sweeps.charts.objective_history import build_objective_info
from sweeps.charts.parallel_coordinates import build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.charts.scales import numeric_scale
from sweeps.charts.scatter import build_scatter_info, scatter_figure
from sweeps.charts.text import param_text
from sweeps.charts.values import Trials, Values
from sweeps.domain.states import TrialStatus as S
from tests.browsers import find_chromium
from tests.charts.cast import LOSS, SPACE, board, dart, gbdt, trial
from tests.eventually import eventually

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
_PARTS = "/static/vendor/plotly/plotly"
PLOTLY_TAG = (
    f'<script defer src="{_PARTS}-cartesian.min.js" data-space="{_PARTS}-gl3d.min.js"></script>'
)
HOSTILE = "<img src=x onerror=document.title='hacked'>"
TRIALS = [
    gbdt(0, 0.4, lr=0.5),
    dart(1, 0.004),
    trial(2, None, S.FAILED, lr=0.1, leaves=3, model={"kind": HOSTILE}),
    gbdt(3, 0.3),
]


def objective_payload(trials=TRIALS) -> dict[str, Any]:
    info = build_objective_info(trials, LOSS, total=6)
    return payload(info, objective_figure(info), cards=trial_cards(trials, LOSS, ["model.kind"]))


def parallel_payload() -> dict[str, Any]:
    info = build_parallel_info(board(TRIALS), SPACE, LOSS)
    return payload(info, parallel_figure(info))


def frame(name: str, data: dict[str, Any]) -> str:
    text = json.dumps(data).replace("<", "\\u003c")
    return f"""<section data-chart-frame>
<button data-chart-toggle="scale" data-value="linear">linear</button>
<button data-chart-tool="table" aria-pressed="false">table</button>
<button data-chart-tool="csv">csv</button><span data-chart-note></span>
<button data-chart-tool="png">png</button>
<div class="chart" id="{name}" data-chart data-figure="fig-{name}"
 data-trial-url="/trials/__n__/"></div>
<script type="application/json" id="fig-{name}">{text}</script></section>"""


def page_text() -> str:
    return f"""<!doctype html><meta charset="utf-8"><title>charts</title>
<link rel="stylesheet" href="/static/css/tokens.css">
<link rel="stylesheet" href="/static/css/charts.css">
<link rel="stylesheet" href="/static/css/axes.css">
{PLOTLY_TAG}
<script type="module" src="/static/js/charts/charts.js"></script>
<body>{frame("objective", objective_payload())}{frame("parallel", parallel_payload())}
<table><tr data-trial="3"><td>3</td></tr><tr data-trial="1"><td>1</td></tr></table>"""


def space_text() -> str:
    """A chart in space on a page that is longer than the screen."""
    at = np.linspace(0.1, 1.0, 12)
    values = [
        Values(f"params.{name}", name, "", numeric_scale(0.1, 1.0), at, param_text)
        for name in ("a", "b", "c")
    ]
    colours = colour_by(values[2], objective=False, minimize=False)
    trials = Trials(np.arange(12), np.zeros(12, dtype=np.bool_), 0)
    info = build_scatter_info(trials, tuple(values), colours, at, minimize=True)
    return f"""<!doctype html><meta charset="utf-8"><title>space</title>
<link rel="stylesheet" href="/static/css/tokens.css">
<link rel="stylesheet" href="/static/css/charts.css">
{PLOTLY_TAG}
<script type="module" src="/static/js/charts/charts.js"></script>
<body>{frame("space", payload(info, scatter_figure(info)))}<div style="height: 3000px"></div>"""


class Handler(SimpleHTTPRequestHandler):
    """The page at / and the project's static files."""

    def do_GET(self) -> None:
        if self.path.startswith("/static/"):
            super().do_GET()
            return
        texts = {"/": page_text, "/space": space_text}
        body = texts[self.path]().encode() if self.path in texts else b"a trial"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(ROOT))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """One for all tests, so that plotly.js is loaded and compiled once."""
    chromium = find_chromium()
    assert chromium, "no Chromium: run the tests by `make test`, which brings one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1200, "height": 900})
        browser.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#objective.is-drawn")
    page.wait_for_selector("#parallel.is-drawn")
    yield page
    page.close()
    assert errors == []


def between_axes(page: Page, number: int) -> tuple[float, float]:
    """Where on the page the line of a trial passes midway between the first two axes."""
    place = page.evaluate(
        """number => {
          const gd = document.querySelector('#parallel .chart-plot');
          const { xaxis, yaxis } = gd._fullLayout;
          const trace = gd.data.find(t => (t.customdata || []).includes(number));
          const i = trace.customdata.indexOf(number);
          const box = gd.getBoundingClientRect();
          const mean = (f) => (f(i) + f(i + 1)) / 2;
          return [box.left + mean(k => xaxis._offset + xaxis.d2p(trace.x[k])),
                  box.top + mean(k => yaxis._offset + yaxis.d2p(trace.y[k]))];
        }""",
        number,
    )
    return place[0], place[1]


def drawn_numbers(page: Page) -> list[int]:
    return page.evaluate(
        "document.querySelector('#objective .chart-plot').data.flatMap(t => t.customdata || [])"
    )


def best_line_color(page: Page) -> str:
    return page.evaluate(
        "document.querySelector('#objective .chart-plot').data"
        ".find(t => t.uid === 'best-so-far').line.color"
    )


def y_axis(page: Page) -> list[Any]:
    return page.evaluate(
        "(({type, range}) => [type, ...range])"
        "(document.querySelector('#objective .chart-plot')._fullLayout.yaxis)"
    )


def test_colours_are_those_of_the_theme_and_follow_it(page):
    assert best_line_color(page) == "#c2146e"
    page.evaluate(
        "document.documentElement.dataset.bsTheme = 'dark';"
        "document.dispatchEvent(new Event('studio:theme'))"
    )
    eventually(page, lambda: best_line_color(page), lambda colour: colour == "#ff7ebb")


def test_pointing_at_a_line_lights_its_row_and_shows_its_card(page):
    page.mouse.move(*between_axes(page, 3))
    page.wait_for_selector("tr.is-hovered")
    lit = page.eval_on_selector_all("tr.is-hovered", "rows => rows.map(r => r.dataset.trial)")
    assert lit == ["3"]
    assert "#3" in page.inner_text("#parallel .chart-card")
    assert page.locator("#objective .chart-ring").count() == 1


def test_pointing_at_a_row_lifts_the_line(page):
    assert page.locator(".chart-lifted").count() == 0
    page.hover('tr[data-trial="1"]')
    assert page.locator("#parallel .chart-lifted").count() == 1


def test_a_click_on_a_line_opens_the_trial(page):
    page.mouse.click(*between_axes(page, 3))
    page.wait_for_url("**/trials/3/")


def test_hostile_values_stay_text(page):
    page.mouse.move(*between_axes(page, 2))
    page.wait_for_selector("#parallel .chart-card")
    assert HOSTILE in page.inner_text("#parallel .chart-card")
    assert page.locator("img").count() == 0
    assert page.title() == "charts"


def test_the_scale_switch_and_a_zoom_outlive_a_live_update(page):
    assert y_axis(page)[0] == "log"
    page.locator('[data-value="linear"]').first.click()
    eventually(page, lambda: y_axis(page), lambda axis: axis[0] == "linear")
    box = page.locator("#objective .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 150, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Reset zoom").wait_for()
    zoomed = y_axis(page)
    newer = objective_payload([*TRIALS, gbdt(4, 0.35)])
    page.evaluate("p => studioCharts.update('objective', p)", newer)
    eventually(page, lambda: drawn_numbers(page), lambda numbers: 4 in numbers)
    assert y_axis(page) == zoomed
    page.get_by_role("button", name="Reset zoom").click()
    eventually(page, lambda: y_axis(page), lambda axis: axis != zoomed)
    assert y_axis(page)[0] == "linear"


def test_a_chart_shows_as_a_table_and_downloads_as_csv(page):
    page.locator('[data-chart-tool="table"]').first.click()
    rows = page.locator("#objective .chart-table tbody tr")
    assert rows.count() == 4
    assert rows.nth(1).inner_text().split() == ["1", "Completed", "0.00400000"]
    with page.expect_download() as waiting:
        page.locator('[data-chart-tool="csv"]').first.click()
    text = Path(waiting.value.path()).read_bytes().decode()
    assert text.splitlines()[:2] == ["Trial,Status,loss", "0,Completed,0.4"]


def test_a_chart_without_values_says_so(page):
    page.evaluate("p => studioCharts.update('objective', p)", objective_payload([]))
    page.wait_for_selector("#objective .chart-empty:visible")
    assert page.inner_text("#objective .chart-empty") == "No value yet. Waiting for loss."
    assert page.locator('[data-chart-tool="csv"]').first.is_disabled()


def eye(page: Page) -> list[float]:
    return page.evaluate(
        "(({x, y, z}) => [x, y, z])"
        "(document.querySelector('#space .chart-plot')._fullLayout.scene._scene.getCamera().eye)"
    )


def test_in_space_the_wheel_scrolls_the_page_and_buttons_turn_the_view(context, address):
    page = context.new_page()
    page.goto(f"{address}space")
    page.wait_for_selector("#space.is-drawn .chart-turn")
    before = eye(page)
    page.hover("#space .chart-plot")
    page.mouse.wheel(0, 400)
    eventually(page, lambda: page.evaluate("scrollY"), lambda pixels: pixels > 100)
    assert eye(page) == before
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Turn left").focus()
    page.keyboard.press("Enter")
    eventually(page, lambda: eye(page), lambda place: place != before)
    page.close()


def test_what_draws_in_space_is_loaded_for_a_chart_in_space_alone(context, address):
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto(address)
    page.wait_for_selector("#parallel.is-drawn")
    assert "plotly-cartesian.min.js" in asked
    assert "plotly-gl3d.min.js" not in asked
    page.goto(f"{address}space")
    page.wait_for_selector("#space.is-drawn .chart-turn")
    assert asked.count("plotly-gl3d.min.js") == 1
    assert "scatter3d" not in page.evaluate("Object.keys(window.Plotly.PlotSchema.get().traces)")


def test_a_chart_in_space_says_when_what_draws_it_cannot_be_loaded(context, address):
    page = context.new_page()
    page.route("**/plotly-gl3d.min.js", lambda route: route.abort())
    page.goto(f"{address}space")
    page.wait_for_selector("#space .chart-empty:visible")
    assert "could not be loaded" in page.inner_text("#space .chart-empty")
    page.wait_for_selector("#space.is-drawn")  # it waits for nothing more
    assert page.is_disabled('[data-chart-tool="png"]')
    assert page.is_enabled('[data-chart-tool="table"]')


def test_without_webgl_a_chart_in_space_points_to_its_table(context, address):
    page = context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(f"{address}space")
    page.wait_for_selector("#space.is-drawn .chart-empty:visible")
    assert "Show it as a table instead" in page.inner_text("#space .chart-empty")
    assert page.is_disabled('[data-chart-tool="png"]')
    page.locator('[data-chart-tool="table"]').click()
    assert page.locator("#space .chart-table tbody tr").count() == 12
    page.close()
