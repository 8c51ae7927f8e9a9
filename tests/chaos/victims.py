"""Who may be killed: every process of a studio, by its kind."""

import contextlib
import os
import random
import signal
from collections import Counter
from pathlib import Path

from tests.e2e.processes import belonging, kinds
from tests.e2e.studios import Studio

PARTS = ("queue", "engine", "web", "tracking")
# How many of 60 kills each kind gets: 20 of who works for the studio (queue, engine), 15 of who is
# about a trial, 10 of web, 10 of tracking, 5 of all at once. `studio` is the supervisor and its
# parts, `power` is everything, trials too. Both are followed by a new start.
WEIGHTS = {
    "queue": 12, "engine": 8, "web": 10, "tracking": 10, "nursery": 2,
    "guard": 5, "shim": 5, "trial": 3, "studio": 3, "power": 2,
}  # fmt: skip


def schedule(seed: int, kills: int, weights: dict[str, int] = WEIGHTS) -> list[tuple[float, str]]:
    """When (as a share of the sweep that is done) and whom to kill, in order.

    As many of each kind as the weights say, and each at least once if there are enough kills.
    """
    rng, total = random.Random(seed), sum(weights.values())
    least = 1 if kills >= len(weights) else 0
    counts = Counter({k: max(least, kills * weight // total) for k, weight in weights.items()})
    while counts.total() > kills:
        counts[counts.most_common(1)[0][0]] -= 1
    whom = list(counts.elements())
    whom += rng.choices(list(weights), list(weights.values()), k=kills - len(whom))
    rng.shuffle(whom)
    moments = sorted(rng.uniform(0.0, 0.9) for _ in whom)
    return list(zip(moments, whom, strict=True))


def kill(studio: Studio, kind: str, rng: random.Random) -> bool:
    """kill -9 of one process of that kind; False if there is none at this moment."""
    if kind in ("studio", "power"):
        kill_all(studio, power=kind == "power")
        return True
    living = kinds(studio.home).get(kind, [])
    return bool(living) and strike(rng.choice(sorted(living)))


def kill_all(studio: Studio, power: bool) -> None:
    """The supervisor and every part at once; with `power` guards, shims and trials as well."""
    assert studio.process is not None
    studio.process.kill()
    spared = () if power else ("guard", "shim", "trial")
    for kind, pids in kinds(studio.home).items():
        for pid in pids if kind not in spared else ():
            strike(pid)
    if power:
        # What was about to start when we looked.
        for pid in belonging(studio.home):
            strike(pid)
    studio.process.wait()
    studio.process = None


def strike(pid: int, number: signal.Signals = signal.SIGKILL) -> bool:
    """Send the signal; False if nobody is there any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def parent_of(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
