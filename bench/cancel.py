"""From a cancel to the end of the last process: of trials that obey SIGTERM, and of those that
ignore it, whose grace of 5 s is theirs. `cancel.py [ROUNDS]`
"""

import sys
import time
from pathlib import Path

from common import Studio, studio, told

from tests.e2e.jobs import job
from tests.e2e.processes import carriers
from tests.e2e.studios import until

AT_ONCE = 2
GRACE_S = 5.0
OBEDIENT = "import sys, time\nprint('up', flush=True)\ntime.sleep(600)\n"
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\ntime.sleep(600)\n"
)


def once(place: Studio, code: str, script: str) -> float:
    """Seconds from the request's sending to the end of all processes of the sweep."""
    Path(code, "wait.py").write_text(script)
    doc = job("python wait.py ${{search_space.x}}", trials=AT_ONCE, at_once=AT_ONCE)
    doc["trial"]["code"] = code
    name = place.submit(doc)
    part = f".{name}."
    until(lambda: len(set(carriers(part).values())) == AT_ONCE, "all commands", 60)
    logs = place.home / "trials"
    until(lambda: sum("up" in f.read_text() for f in _logs(place, name)) == AT_ONCE, "up", 30)
    assert logs.exists()
    began = time.monotonic()
    answer = place.ask("POST", f"sweeps/{name}/cancel")
    assert answer.status_code == 200, answer.text
    while carriers(part):
        assert time.monotonic() - began < 60, "it never ends"
    took = time.monotonic() - began
    place.wait_final(name, 60)
    return took


def _logs(place: Studio, name: str) -> list[Path]:
    [sweep] = place.rows("SELECT uid FROM sweeps_sweep WHERE name = ?", name)
    return list((place.home / "trials" / sweep["uid"]).glob("*/stdout.log"))


def main(rounds: int) -> None:
    import tempfile

    with studio(slots=AT_ONCE) as place, tempfile.TemporaryDirectory() as code:
        obedient = [once(place, code, OBEDIENT) for _ in range(rounds)]
        stubborn = [once(place, code, STUBBORN) for _ in range(max(3, rounds // 3))]
    told("cancel to the last process' end, p95", obedient, "s", 2.0, at=0.95)
    told("the same where SIGTERM is ignored, p95", stubborn, "s", GRACE_S + 2.0, at=0.95)


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["20"])[0]))
