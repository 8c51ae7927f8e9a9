"""How soon a logged value is on the screen while many people watch, and what they cost.

    python bench/watchers.py [--watchers 50] [--seconds 60]

Trials log ten values a second between them and the rest of a second; each value is the time at
which it was logged, so whatever is drawn says how old it is. One watcher is Chromium, the others
ask as its page does: the live address with the charts in view, 0.8 s after each answer.
"""

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from common import Studio, cpu_s, signed_in, studio, told, tree
from playwright.sync_api import sync_playwright

from tests.browsers import find_chromium
from tests.e2e.jobs import job
from tests.e2e.studios import until

TRIALS, PER_SECOND = 8, 10
SCRIPT = f"""
import sys, time
import mlflow

began, pause = time.time(), {TRIALS} / {PER_SECOND}
step = 0
while time.time() - began < float(sys.argv[1]):
    mlflow.log_metric("logged_at", time.time() - {{epoch}}, step=step)
    step += 1
    time.sleep(pause)
"""
# What a drawn chart of curves says is the newest value, and when it was drawn.
SEEN = """(epoch) => {
  window.seen = [];
  document.addEventListener("studio:chart-drawn", ({ detail }) => {
    if (detail.id !== "chart-curves") return;
    const plot = document.querySelector("#chart-curves .chart-plot");
    const values = plot.data.flatMap((trace) => trace.y || []).filter((y) => y !== null);
    window.seen.push([Date.now() / 1000 - epoch, Math.max(...values)]);
  }, true);
}"""
HEAP = "() => performance.memory.usedJSHeapSize / 1e6"


class Watcher(threading.Thread):
    """One page that is open: asks, waits, asks again."""

    def __init__(self, client: httpx.Client, address: str, until: float) -> None:
        super().__init__(daemon=True)
        self.client, self.address, self.until = client, address, until
        self.answers: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        revision: Any = 0
        while time.monotonic() < self.until:
            began = time.monotonic()
            query = {"tab": "overview", "since": revision, "charts": "objective,parallel,curves"}
            try:
                answer = self.client.get(self.address, params=query)
                if answer.status_code == 200:
                    revision = answer.json()["revision"]
                elif answer.status_code != 204:
                    self.errors.append(str(answer.status_code))
            except httpx.HTTPError as error:
                self.errors.append(repr(error))
            self.answers.append((time.monotonic() - began) * 1000)
            time.sleep(0.8)


def ages(seen: list[list[float]], logged: list[float]) -> list[float]:
    """Milliseconds from each logged value to the first drawing that has it."""
    found = []
    for value in logged:
        later = [at for at, newest in seen if newest >= value - 1e-6]
        if later:
            found.append((later[0] - value) * 1000)
    return found


def main(watchers: int, seconds: int) -> None:
    """Start the sweep, watch it, tell."""
    epoch = time.time() - 1.0
    with studio(slots=TRIALS) as place, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log.py").write_text(SCRIPT.format(epoch=epoch))
        command = f"python log.py {seconds + 60}"
        doc = job(command, trials=TRIALS, at_once=TRIALS, metric="logged_at")
        doc["trial"]["code"] = folder
        doc["objective"]["goal"] = "maximize"
        name = place.submit(doc)
        place.wait_running(name, TRIALS, 120)
        until(lambda: all(t["objective"] for t in place.trials(name)), "values of all", 120)
        client = signed_in(place)
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=find_chromium(),
                args=["--no-sandbox", "--enable-precise-memory-info"],
            )
            context = browser.new_context(viewport={"width": 1440, "height": 1800})
            context.add_cookies(
                [{"name": n, "value": v, "url": place.url} for n, v in client.cookies.items()]
            )
            page = context.new_page()
            page.goto(f"{place.url}/w/default/sweeps/{name}/")
            page.wait_for_selector("#chart-curves.is-drawn")
            page.evaluate(SEEN, epoch)
            end = time.monotonic() + seconds
            others = [
                Watcher(signed_copy(place, client), f"/w/default/sweeps/{name}/live", end)
                for _ in range(watchers - 1)
            ]
            pids, before = tree(place.pid_of("web")), time.monotonic()
            used = cpu_s(pids)
            for one in others:
                one.start()
            heaps = []
            while time.monotonic() < end:
                page.wait_for_timeout(5_000)
                heaps.append(page.evaluate(HEAP))
            spent = (cpu_s(pids) - used) / (time.monotonic() - before) * 100
            seen = page.evaluate("window.seen")
            browser.close()
        logged = values_of(place, name)
        tell(others, seen, logged, spent, heaps, seconds)
        place.ask("POST", f"sweeps/{name}/cancel")
        place.wait_final(name, 60)


def signed_copy(place: Studio, client: httpx.Client) -> httpx.Client:
    """Another browser of the same person."""
    return httpx.Client(base_url=place.url, cookies=dict(client.cookies), timeout=60)


def values_of(place: Studio, name: str) -> list[float]:
    """Every value that was logged."""
    found = []
    for number in range(TRIALS):
        path = f"sweeps/{name}/trials/{number}/metrics?name=logged_at&limit=1000"
        found += [item["value"] for item in place.get(path)["items"]]
    return sorted(found)


def tell(
    others: list[Watcher],
    seen: list[list[float]],
    logged: list[float],
    cpu: float,
    heaps: list[float],
    seconds: int,
) -> None:
    """The figures."""
    first, last = seen[0][0], seen[-1][0]
    own = ages(seen, [value for value in logged if first <= value <= last - 3])
    told("logged to drawn, p95", [statistics.quantiles(own, n=20)[-1]], "ms", 1500)
    told("logged to drawn, all", own, "ms")
    answers = [took for one in others for took in one.answers]
    told("an answer to a watcher", answers, "ms")
    errors = [error for one in others for error in one.errors]
    print(f"{len(answers):,} answers, errors: {sorted(set(errors))[:5]}")
    told("answers that were errors", [float(len(errors))], "", 1)
    told("web process", [cpu], "% CPU")
    half = heaps[len(heaps) // 2 :]
    grown = (min(half[len(half) // 2 :]) - min(half[: len(half) // 2])) / (seconds / 4 / 60)
    told("browser heap, growth", [grown], "MB/min", 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--watchers", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    main(given.watchers, given.seconds)
