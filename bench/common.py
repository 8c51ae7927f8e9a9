"""What every benchmark needs: a studio in a throw-away home, process costs, medians."""

import json
import os
import re
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402

from tests.e2e.studios import Studio, manage  # noqa: E402

# Who is asked to stop stops the studio that it has started, and its peers.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@contextmanager
def studio(slots: int | None = None) -> Iterator[Studio]:
    """A running studio; its compute has a slot per core unless said otherwise."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-", ignore_cleanup_errors=True) as folder:
        place = Studio(Path(folder) / "home", slots=slots or os.cpu_count() or 1)
        try:
            place.start(seconds=120)
            yield place
        finally:
            place.close()


def signed_in(place: Studio) -> httpx.Client:
    """A browser's session, by a one-time link: the log has one of the first start alone."""
    told = manage(place.home, place.port, "signin").stdout
    link = re.search(r"http://\S+/accounts/link/\S+", told)
    assert link, told
    client = httpx.Client(base_url=place.url, follow_redirects=True, timeout=30)
    page = client.get(link[0])
    if button := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text):
        client.post(str(page.url), data={"csrfmiddlewaretoken": button[1]})
    return client


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds that these processes have used, in user and kernel mode."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total * TICK_S


def pss_mib(pids: Sequence[int]) -> float:
    """Memory of these processes; pages they share are split among their users."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])  # type: ignore[index]
    return total / 1024


def told(
    name: str,
    values: Sequence[float],
    unit: str,
    goal: float | None = None,
    *,
    at_least: bool = False,
    at: float = 0.5,
) -> None:
    """One line: median and range, and whether the goal is met; `make bench` collects them.

    A goal is a limit from above, or with `at_least` from below. `at`: the quantile that is told
    and that the goal is for; the median unless said otherwise.
    """
    figure = quantile(values, at)
    line = f"{name:<52} {figure:9.2f} {unit:<6} "
    line += f"({min(values):.2f}-{max(values):.2f}, n={len(values)})"
    met = None
    if goal is not None:
        met = figure >= goal if at_least else figure < goal
        line += f"  goal {'>=' if at_least else '<'} {goal:g}: {'met' if met else 'MISSED'}"
    print(line, flush=True)
    if path := os.environ.get("BENCH_FIGURES"):
        row = {
            "name": name, "figure": figure, "low": min(values), "high": max(values),
            "n": len(values), "unit": unit, "goal": goal, "at_least": at_least, "met": met,
        }  # fmt: skip
        with open(path, "a") as file:
            file.write(json.dumps(row) + "\n")


def quantile(values: Sequence[float], at: float) -> float:
    """The value below which this share of them lies."""
    if at == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * at))]
