"""From Submit to the first trial's command, the studio warm. Peer: the command in a bare shell."""

import subprocess
import sys
import time
from datetime import datetime

from common import Studio, studio, told

from tests.e2e.jobs import SCRIPTS, quick
from tests.e2e.studios import until

ROUNDS = 9


def first_line_s(place: Studio, name: str, began: float) -> float:
    """Seconds until the script logged, by its own clock."""
    [point] = place.get(f"sweeps/{name}/trials/0/metrics")["items"]
    return datetime.fromisoformat(point["time"]).timestamp() - began


def bare_s() -> float:
    """Seconds that the same script needs to its first line without a studio."""
    code = "import sys, runpy; sys.argv[0] = 'quick.py'; import tracked"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=True)
    return time.monotonic() - began


def main(rounds: int) -> None:
    running, logged, bare = [], [], []
    with studio() as place:
        for round_number in range(rounds + 1):
            began, clock = time.time(), time.monotonic()
            name = place.submit(quick(0, trials=1, at_once=1))
            until(lambda: place.get(f"sweeps/{name}")["started_at"], "a started sweep", 30)  # noqa: B023
            seen = ("Running", "Completed")
            until(lambda: place.trials(name)[0]["status"] in seen, "a running trial", 30)  # noqa: B023
            took = time.monotonic() - clock
            place.wait_final(name)
            if round_number:  # The first one warms the studio up.
                running.append(took)
                logged.append(first_line_s(place, name, began))
                bare.append(bare_s())
    told("Submit to Running, as a client sees it", running, "s", 3)
    told("Submit to the script's first logged value", logged, "s")
    told("the same script to that point, bare", bare, "s")


if __name__ == "__main__":
    main(int((sys.argv[1:] or [ROUNDS])[0]))
