"""Memory of engine, queue and web: with the trials of a running sweep, and with their own age.

    python bench/memory.py [--trials 10000] [--soak 2000] [--quick]

The first figure compares two starts of the same home, in which the same bayesian sweep runs: with a
handful of trials, and with so many more rows of ended ones. The soak runs short sweeps, one after
the other, and fits a line through what each part holds after each but the first two. `--quick`
takes a tenth of both.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, Studio, pss_mib, signed_in, told, tree

from tests.e2e.jobs import SCRIPTS, job
from tests.e2e.studios import environment, until

PARTS = ("engine", "queue", "web")
SLOTS = 2
GOAL_MIB = 50.0
# What a part may gain in 1,000 trials: less than what the allocator keeps by chance.
GOAL_GROWTH_MIB, GOAL_FILES = 2.0, 1.0
SWEEPS = 10
SETTLE_S = 20.0
TOY = """
import sys, time
from tracked import log
log("loss", (float(sys.argv[1]) - 0.3) ** 2)
time.sleep(float(sys.argv[2]))
"""


def held(place: Studio) -> dict[str, float]:
    """MiB of each part."""
    return {part: pss_mib(tree(place.pid_of(part))) for part in PARTS}


def files(place: Studio) -> dict[str, float]:
    """Open descriptors of each part's processes."""
    return {
        part: float(sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in tree(place.pid_of(part))))
        for part in PARTS
    }


def toys(code: Path, seconds: float, trials: int, sampler: str = "random") -> dict[str, object]:
    """A sweep of programs of the standard library alone."""
    command = f"python toy.py ${{{{search_space.x}}}} {seconds}"
    doc = job(command, trials=trials, at_once=SLOTS)
    doc["trial"]["code"] = str(code)
    doc["sampling_algorithm"] = {"type": sampler, "seed": 7}
    doc["limits"]["timeout"] = 7200
    return doc


def ended(place: Studio, name: str) -> int:
    query = (
        "SELECT count(*) FROM sweeps_trial t JOIN sweeps_sweep s ON s.id = t.sweep_id "
        "WHERE s.name = ? AND t.status = 'Completed'"
    )
    return int(place.rows(query, name)[0][0])


def running(home: Path, name: str, settle_s: float) -> dict[str, float]:
    """What the parts hold while the sweep runs, some trials after a start."""
    place = Studio(home, slots=SLOTS)
    place.start(seconds=300)
    try:
        client = signed_in(place)
        before = ended(place, name)
        until(lambda: ended(place, name) >= before + 4, "trials of the sweep", 300)
        page = f"/w/default/sweeps/{name}/"
        for path in (page, f"{page}trials/", f"{page}charts/objective.json"):
            assert client.get(path).status_code == 200, path
        time.sleep(settle_s)  # whatever is loaded late
        return held(place)
    finally:
        place.close()


def of_trials(trials: int, settle_s: float) -> None:
    """MiB that so many ended trials of a running sweep take."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        home, code = Path(folder) / "home", with_code(Path(folder))
        place = Studio(home, slots=SLOTS)
        place.start(seconds=300)
        name = place.submit(toys(code, 1.0, trials * 2 + 1000, "bayesian"))
        place.wait_running(name)
        place.close()
        few = running(home, name, settle_s)
        command = [sys.executable, __file__, "--fill", name, "--trials", str(trials)]
        subprocess.run(command, env=environment(home, place.port), cwd=ROOT, check=True)
        many = running(home, name, settle_s)
    for part in PARTS:
        grown = (many[part] - few[part]) / trials * 10_000
        is_told = part == "engine" and trials >= 10_000  # of few, chance is the larger part
        goal = GOAL_MIB if is_told else None
        told(f"{part}, per 10,000 trials of a running sweep", [grown], "MiB", goal)


def fill(name: str, trials: int) -> None:
    """Give the sweep so many ended trials more; run on the home of a studio that stands still."""
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.utils import timezone

    from sweeps.models import Attempt, Sweep, Trial

    sweep, now = Sweep.objects.get(name=name), timezone.now()
    numbers = range(sweep.planned, sweep.planned + trials)
    rows = [
        Trial(
            sweep=sweep, number=number, status="Completed", objective=(x - 0.3) ** 2, attempt=1,
            params={"x": x}, flat_params={"x": x}, draw={"x": x}, reports=1, started_at=now,
            last_value=(x - 0.3) ** 2, run_id=f"r{number}", ended_at=now, created_at=now,
            revision=sweep.revision + number - sweep.planned + 1,
        )
        for number in numbers
        for x in [(number * 0.618) % 1]
    ]  # fmt: skip
    Trial.objects.bulk_create(rows, batch_size=500)
    made = [
        Attempt(
            trial=trial, number=1, spool=f"/none/{trial.number}.1", handle=f"/none/{trial.number}",
            started_at=now, ended_at=now, created_at=now, token_digest=f"none{trial.pk}",
            run_id=trial.run_id, accepted=True, run_closed=True,
        )
        for trial in rows
    ]  # fmt: skip
    Attempt.objects.bulk_create(made, batch_size=500)
    Sweep.objects.filter(pk=sweep.pk).update(
        planned=sweep.planned + trials, revision=sweep.revision + trials
    )


def with_code(folder: Path) -> Path:
    code = folder / "code"
    code.mkdir()
    (code / "toy.py").write_text(TOY)
    (code / "tracked.py").write_bytes((SCRIPTS / "tracked.py").read_bytes())
    return code


def soak(trials: int) -> None:
    """What the parts hold after each of the sweeps."""
    memory: dict[str, list[float]] = {part: [] for part in PARTS}
    opened: dict[str, list[float]] = {part: [] for part in PARTS}
    each = trials // SWEEPS
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        code, place = with_code(Path(folder)), Studio(Path(folder) / "home", slots=SLOTS)
        place.start(seconds=300)
        try:
            for _ in range(SWEEPS):
                name = place.submit(toys(code, 0.0, each))
                query = "SELECT run_closed FROM sweeps_sweep WHERE name = ?"
                until(lambda: place.rows(query, name)[0][0], "its end", 120 + each * 5)  # noqa: B023
                assert ended(place, name) == each
                for found, now in ((memory, held(place)), (opened, files(place))):
                    for part, value in now.items():
                        found[part].append(value)
        finally:
            place.close()
    memory_goal, files_goal = (GOAL_GROWTH_MIB, GOAL_FILES) if trials >= 2_000 else (None, None)
    for part in PARTS:
        told(f"{part}, during {trials:,} trials", memory[part], "MiB")
        grown = slope(memory[part][2:]) / each * 1000
        told(f"{part}, growth per 1,000 trials", [grown], "MiB", memory_goal)
        grown = slope(opened[part][2:]) / each * 1000
        told(f"{part}, open files more per 1,000 trials", [grown], "", files_goal)


def slope(values: list[float]) -> float:
    """By how much each is larger than the one before, by least squares."""
    return statistics.linear_regression(range(len(values)), values).slope


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--soak", type=int, default=2_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of both")
    parser.add_argument("--fill", metavar="SWEEP", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.fill, given.trials)
    else:
        share = 10 if given.quick else 1
        of_trials(given.trials // share, SETTLE_S / share)
        soak(given.soak // share)
