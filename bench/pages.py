"""The pages of a sweep of many trials in a browser, beside optuna-dashboard on the same trials.

    python bench/pages.py [--trials 10000] [--loads 5] [--alone]

Headless Chromium draws with software GL. Scripts and styles are cached, as they are for whoever
opens a second page. Both servers are gunicorn with one process of threads on this machine.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import peers
from common import ROOT, Studio, signed_in, studio, told
from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

from studio.supervisor.home import free_port
from tests.browsers import find_chromium
from tests.e2e.studios import environment, until

# Tall enough that the three charts of a job page are in view, as on a large screen.
VIEW = {"width": 1440, "height": 1800}
PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime || 0"""
JOB = """() => ["objective", "parallel", "curves"].every(
    (kind) => document.querySelector(`#chart-${kind}.is-drawn`))"""
PLOTS = """() => [...document.querySelectorAll(".js-plotly-plot")].filter(
    (plot) => plot.querySelector(".main-svg .cartesianlayer .trace, .main-svg .gl-canvas, canvas, "
      + ".main-svg .parcoords, .barlayer .trace") ).length"""
# Looks at each frame from within, which a content security policy lets be; `wait_for_function`
# evaluates its words at each look, which ours forbids.
ONCE = """() => new Promise((resolve, reject) => {
    const reached = %s, last = performance.now() + %d;
    const look = () => reached() ? resolve(true)
      : performance.now() > last ? reject(new Error("not drawn in time"))
      : requestAnimationFrame(look);
    look(); })"""
PLACES = """() => [...document.querySelectorAll(".chart-place")].map(
    (place) => [place.querySelector("[data-chart][data-src]").id, place.id])"""

WATCH = """window.drawn = {};
document.addEventListener("studio:chart-drawn", ({detail: {id}}) => {
    window.drawn[id] ??= performance.now();
}, true);"""
DRAWN = """(chart) => new Promise((resolve, reject) => {
    const last = performance.now() + 60_000;
    const look = () => window.drawn?.[chart] ? resolve(window.drawn[chart])
      : performance.now() > last ? reject(new Error(`${chart} was not drawn in time`))
      : setTimeout(look, 5);
    look(); })"""
REACH = """(place) => {
    const began = performance.now();
    document.getElementById(place).scrollIntoView({block: "center", behavior: "instant"});
    return began; }"""
# Far from the charts that are in view at first.
PLACE_OF_OTHERS = "chart-of-timeline"


class Loads:
    """Loads of one page: milliseconds to the first paint and until it is drawn, kB transferred."""

    def __init__(self) -> None:
        self.paint: list[float] = []
        self.drawn: list[float] = []
        self.kilobytes: list[float] = []


def load(context: BrowserContext, url: str, ready: Callable[[Page], None], loads: Loads) -> None:
    """One load of a page in a tab of its own."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    sizes = _sizes(session)
    began = time.monotonic()
    page.goto(url, wait_until="commit")
    ready(page)
    loads.drawn.append((time.monotonic() - began) * 1000)
    loads.paint.append(page.evaluate(PAINT))
    loads.kilobytes.append(sum(sizes) / 1000)
    page.close()


def _sizes(session: CDPSession) -> list[float]:
    """Bytes of each request that has come over the wire, as they come."""
    sizes: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return sizes


def job_drawn(page: Page) -> None:
    """The job page's three charts are drawn."""
    page.evaluate(ONCE % (JOB, 60_000))


def plots_drawn(count: int) -> Callable[[Page], None]:
    """So many plots of optuna-dashboard are drawn."""

    def ready(page: Page) -> None:
        page.evaluate(ONCE % (f"() => ({PLOTS})() >= {count}", 180_000))

    return ready


def settled_plots(context: BrowserContext, url: str) -> int:
    """How many plots the dashboard's page has when nothing more is drawn; warms its caches."""
    page = context.new_page()
    page.goto(url)
    count, since = 0, time.monotonic()
    while time.monotonic() - since < 12:
        page.wait_for_timeout(500)
        if (now := page.evaluate(PLOTS)) != count:
            count, since = now, time.monotonic()
    page.close()
    assert count, "optuna-dashboard drew nothing"
    return count


@contextmanager
def dashboard(trials: Path) -> Iterator[str]:
    """optuna-dashboard over these trials; gives its address."""
    port = free_port()
    process = subprocess.Popen(
        [peers.python(), "-m", "gunicorn", "--worker-class", "gthread", "--threads", "8",
         "--timeout", "600", "--bind", f"127.0.0.1:{port}", f"dashboard:app({str(trials)!r})"],
        cwd=ROOT / "bench", stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def there() -> bool:
        try:
            return httpx.get(f"{url}/api/studies", timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(there, "optuna-dashboard", 600)
        yield url
    finally:
        process.terminate()
        process.wait()


def made_up(place: Studio, trials: int) -> str:
    """A made-up sweep; its name."""
    words = ("--trials", str(trials), "--params", "8", "--failed", str(trials // 50))
    command = [sys.executable, "manage.py", "sweep", "synthesize", *words]
    env = environment(place.home, place.port)
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def signed_in_context(browser: Any, client: httpx.Client, url: str) -> BrowserContext:
    """A browser in which the owner is signed in."""
    context: BrowserContext = browser.new_context(viewport=VIEW)
    context.add_cookies([{"name": n, "value": v, "url": url} for n, v in client.cookies.items()])
    return context


def charts_opened(context: BrowserContext, url: str) -> dict[str, float]:
    """Milliseconds from opening the Charts tab at a chart until that is drawn, page included."""
    found: dict[str, float] = {}
    for chart, place in _places(context, url):
        page = _watched(context)
        page.goto(f"{url}#{place}", wait_until="commit")
        found[chart] = page.evaluate(DRAWN, chart)
        page.close()
    return found


def charts_reached(context: BrowserContext, url: str) -> dict[str, float]:
    """Milliseconds from a chart's coming into view on an open page until it is drawn."""
    found: dict[str, float] = {}
    for chart, place in _places(context, url):
        page = _watched(context)
        page.set_viewport_size({"width": VIEW["width"], "height": 700})
        page.goto(url)
        page.wait_for_timeout(3000)  # whatever is in view is drawn by then
        if page.evaluate("(chart) => chart in window.drawn", chart):
            page.evaluate("() => { window.drawn = {} }")
            page.goto("about:blank")
            page.goto(f"{url}#{PLACE_OF_OTHERS}")
            page.wait_for_timeout(3000)
        began = page.evaluate(REACH, place)
        found[chart] = page.evaluate(DRAWN, chart) - began
        page.close()
    return found


def _places(context: BrowserContext, url: str) -> list[tuple[str, str]]:
    page = context.new_page()
    page.goto(url)
    places: list[tuple[str, str]] = page.evaluate(PLACES)
    page.close()
    return places


def _watched(context: BrowserContext) -> Page:
    """A tab that notes in itself when each chart is first drawn: who asks it from outside waits
    for whatever it draws next."""
    page = context.new_page()
    page.add_init_script(WATCH)
    return page


def requests(place: Studio, client: httpx.Client, name: str, count: int, more: int) -> None:
    """Milliseconds of what a page asks the server for; goals `more` times as long."""
    base = f"/w/default/sweeps/{name}/"

    def timed(path: str, status: int = 200) -> float:
        began = time.monotonic()
        answer = client.get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code}"
        return (time.monotonic() - began) * 1000

    revision = place.get(f"sweeps/{name}")["revision"]
    quiet = [timed(f"{base}live?tab=overview&since={revision}", 204) for _ in range(count)]
    told("poll with nothing new", quiet, "ms", 5 * more)
    changed = []
    for turn in range(count):
        for number in range(10):
            body = {"note": f"turn {turn}"}
            place.ask("PATCH", f"sweeps/{name}/trials/{number}", json=body)
        path = f"{base}live?tab=overview&since={revision}"
        changed.append(timed(path))
        revision = place.get(f"sweeps/{name}")["revision"]
    told("poll with 10 changed trials", changed, "ms", 50 * more)
    sorts = ("params.learning_rate", "-params.dropout", "metrics.train_loss", "duration_s")
    words = [f"trials/?sort={sort}" for sort in sorts]
    words += ["trials/?in=objective:..0.2&sort=-objective", "trials/?status=Failed&q=memory"]
    table = [timed(f"{base}{word}") for word in words for _ in range(count // 4 + 1)]
    told("trials table, sorted or filtered", table, "ms", 150 * more)


def in_turn(
    browser: Any, own: BrowserContext, page: str, csv: Path, loads: int, ours: Loads, theirs: Loads
) -> None:
    """Both pages, one after the other, so many times."""
    with dashboard(csv) as peer:
        other, study = browser.new_context(viewport=VIEW), f"{peer}/dashboard/studies/0"
        plots = settled_plots(other, study)
        for _ in range(loads):
            load(own, page, job_drawn, ours)
            load(other, study, plots_drawn(plots), theirs)


def main(trials: int, loads: int, *, alone: bool) -> None:
    """Measure."""
    with studio() as place, tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        began = time.monotonic()
        name = made_up(place, trials)
        print(f"{trials:,} trials made up in {time.monotonic() - began:.0f} s", flush=True)
        csv = Path(folder) / "trials.csv"
        csv.write_bytes(place.ask("GET", f"sweeps/{name}/trials.csv").content)
        client = signed_in(place)
        browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        own = signed_in_context(browser, client, place.url)
        page = f"{place.url}/w/default/sweeps/{name}/"
        load(own, page, job_drawn, Loads())  # scripts into the cache, trials into memory
        ours, theirs = Loads(), Loads()
        if alone:
            for _ in range(loads):
                load(own, page, job_drawn, ours)
        else:
            in_turn(browser, own, page, csv, loads, ours, theirs)
        _tell(trials, ours, theirs)
        rounds = max(loads // 2, 1)
        for title, measure in (("reached", charts_reached), ("opened at", charts_opened)):
            turns = [measure(own, f"{page}charts/") for _ in range(rounds)]
            for chart in turns[0]:
                values = [one[chart] for one in turns]
                told(f"{chart} {title}", values, "ms", 1500 * _more(trials))
        browser.close()
        requests(place, client, name, 12, _more(trials))


def _more(trials: int) -> int:
    """Beyond 10,000 trials everything may take twice as long."""
    return 1 if trials <= 10_000 else 2


def _tell(trials: int, ours: Loads, theirs: Loads) -> None:
    more = _more(trials)
    told("job page, first paint", ours.paint, "ms", 1000 * more)
    told("job page, three charts drawn", ours.drawn, "ms", 2500 * more)
    told("job page, transferred", ours.kilobytes, "kB", 500 * more)
    if not theirs.drawn:
        return
    told("optuna-dashboard, first paint", theirs.paint, "ms")
    told("optuna-dashboard, charts drawn", theirs.drawn, "ms")
    told("optuna-dashboard, transferred", theirs.kilobytes, "kB")
    ratio = statistics.median(theirs.drawn) / statistics.median(ours.drawn)
    told("job page drawn as fast as optuna-dashboard", [ratio], "times", 2, at_least=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--alone", action="store_true", help="without the peer")
    given = parser.parse_args()
    main(given.trials, given.loads, alone=given.alone)
