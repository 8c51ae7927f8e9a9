"""Server CPU of a live poll with nothing new. Floor: a static file; beside it: /healthz."""

import re
import sys

import httpx
from common import Studio, cpu_s, signed_in, studio, told, tree

from tests.e2e.jobs import quick

POLLS = 300
BATCHES = 5


def cpu_ms(place: Studio, client: httpx.Client, url: str, status: int, count: int) -> float:
    """CPU milliseconds of the web process per request, over `count` requests."""
    pids = tree(place.pid_of("web"))
    before = cpu_s(pids)
    for _ in range(count):
        answer = client.get(url)
        assert answer.status_code == status, f"{url}: {answer.status_code}"
    return (cpu_s(pids) - before) / count * 1000


def main(count: int) -> None:
    with studio() as place:
        name = place.submit(quick(0.1, trials=20))
        place.wait_final(name, 120)
        client = signed_in(place)
        page = client.get(f"/w/default/sweeps/{name}/")
        assert page.status_code == 200, page.status_code
        found = re.search(r'/static/[^"]+\.css', page.text)
        assert found, "the page links no style sheet"
        revision = place.get(f"sweeps/{name}")["revision"]
        requests = {
            "a static file": (found[0], 200),
            "/healthz": ("/healthz", 200),
            "a live poll with nothing new": (
                f"/w/default/sweeps/{name}/live?since={revision}", 204,
            ),
        }  # fmt: skip
        figures: dict[str, list[float]] = {what: [] for what in requests}
        for _ in range(BATCHES):
            for what, (url, status) in requests.items():
                figures[what].append(cpu_ms(place, client, url, status, count // BATCHES))
    for what, values in figures.items():
        told(what, values, "ms", 5 if "poll" in what else None)


if __name__ == "__main__":
    main(int((sys.argv[1:] or [POLLS])[0]))
