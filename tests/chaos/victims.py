"""Who may be killed: every process of a studio, by its kind."""

import contextlib
import os
import random
import signal
from pathlib import Path

from tests.e2e.processes import belonging, kinds
from tests.e2e.studios import Studio

PARTS = ("queue", "engine", "web", "tracking")
# How often each kind is chosen; `studio` is the supervisor and its parts at once, `power` is
# everything, trials too. Both are followed by a new start.
WEIGHTS = {
    "queue": 12, "engine": 10, "web": 8, "tracking": 7, "nursery": 3,
    "guard": 6, "shim": 6, "trial": 5, "studio": 2, "power": 1,
}  # fmt: skip


def schedule(seed: int, kills: int, weights: dict[str, int] = WEIGHTS) -> list[tuple[float, str]]:
    """When (as a share of the sweep that is done) and whom to kill, in order; every kind once."""
    rng = random.Random(seed)
    first = list(weights) if kills >= len(weights) else []
    more = rng.choices(list(weights), list(weights.values()), k=kills - len(first))
    whom = [*first, *more]
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
