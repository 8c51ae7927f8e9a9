"""From a slot falling free to the next trial's command, in a sweep that fills one slot.

A slot is free when the shim has written the result; the next command starts when the next shim
takes its start time. `slot_refill.py [TRIALS] [SECONDS]`
"""

import json
import os
import sys

from common import Studio, studio, told

from tests.e2e.jobs import quick


def gaps_ms(place: Studio, name: str, trials: int) -> list[float]:
    """Milliseconds between each trial's result and the next one's command."""
    [sweep] = place.rows("SELECT uid FROM sweeps_sweep WHERE name = ?", name)
    folder = place.home / "trials" / sweep["uid"]
    free, started = [], []
    for number in range(trials):
        path = folder / f"{number}.1" / "result.json"
        free.append(os.stat(path).st_mtime)
        started.append(json.loads(path.read_text())["started_at"])
    return [(b - a) * 1000 for a, b in zip(free, started[1:], strict=False)]


def main(trials: int, seconds: float) -> None:
    with studio() as place:
        place.wait_final(place.submit(quick(0, trials=3, at_once=1)), 60)  # warms up
        name = place.submit(quick(seconds, trials=trials, at_once=1))
        place.wait_final(name, 60 + trials * (seconds + 2))
        gaps = gaps_ms(place, name, trials)
    told("from a free slot to the next command", gaps, "ms", 100)
    told("the same, p95", gaps, "ms", at=0.95)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(int((words or ["40"])[0]), float((words[1:] or ["0.5"])[0]))
