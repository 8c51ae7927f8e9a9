"""`make chaos`: every drill, on SQLite and on PostgreSQL with Redis, and a table of what was seen.

Everything is seeded: `make chaos SEEDS=3,7 ONLY=R1` replays the kills of these two seeds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.chaos import drill, parts, scripts, stops
from tests.chaos.report import Report, Row
from tests.chaos.servers import Servers, servers
from tests.e2e.studios import CHECKOUT, Studio

Drill = Callable[[Studio, Servers | None], str]
TRIALS = 200
# A lost trial waits 10 s for its second try: in a sweep of seconds that would be all there is.
LONGEST_S = 8.0
# How much longer a sweep may take with all its kills than without.
SLOWER = 2.0


def drills(repeat: int) -> dict[str, tuple[Drill, ...]]:
    """Every drill on a running studio by its number in the fault plan."""
    return {
        "R2": (parts.kill_the_consumer,),
        "R3": (parts.lose_the_queue,),
        "R4": (parts.hurt_the_databases,),
        "R5": (parts.without_tracking(60), parts.without_tracking(170)),
        "R6": (parts.freeze,),
        "R8": (scripts.hostile_trees(6 * repeat),),
        "R10": (stops.graceful(repeat),),
        "R11": (stops.full_disk,),
        "R13": (scripts.odd_metrics,),
        "R14": (scripts.broken_scripts,),
        "R15": (scripts.poison,),
        "R16": (scripts.retries,),
        "R17": (stops.resume,),
        "copy": (stops.copied,),
    }


def seeds_of(text: str) -> list[int]:
    """`10` stands for the seeds 1 to 10, `3,7` and `4,` for those themselves."""
    if "," in text:
        return [int(part) for part in text.split(",") if part.strip()]
    return list(range(1, int(text) + 1))


@contextmanager
def surroundings(where: str) -> Iterator[tuple[Studio, Servers | None]]:
    """A running studio with its back ends."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))) / "home"
        back_ends = stack.enter_context(servers()) if where != "SQLite" else None
        more = back_ends.environment() if back_ends else {}
        studio = Studio(home, drill.SLOTS, **more)
        stack.callback(studio.close)
        studio.start(seconds=90)
        yield studio, back_ends


def random_kills(report: Report, studio: Studio, where: str, options: argparse.Namespace) -> None:
    """R1, every seed, after one sweep without a kill to compare the times with."""
    calm = Row("calm", where, None)
    plan = drill.Plan(options.trials, options.kills, limit_s=1200, longest_s=LONGEST_S)

    def undisturbed(row: Row) -> str:
        outcome = drill.run(studio, 0, replace(plan, kills=0))
        return f"{options.trials} trials in {outcome.seconds:.0f} s"

    report.run(calm, undisturbed)

    for seed in seeds_of(options.seeds):

        def killing(row: Row, seed: int = seed) -> str:
            outcome = drill.run(studio, seed, plan)
            row.killed = outcome.killed
            ratio = outcome.seconds / calm.seconds if calm.seconds else 0.0
            assert ratio <= SLOWER, f"{outcome.seconds:.0f} s is {ratio:.2f} times as long"
            return (
                f"{outcome.killed.total()} kills, 0 lost, 0 doubled, {ratio:.2f} times as long, "
                f"{outcome.attempts} attempts, at most {outcome.most_at_once} at once"
            )

        report.run(Row("R1", where, seed), killing)


def in_process(report: Report, only: set[str], options: argparse.Namespace) -> None:
    """R7 and F5: crash points in every combination, and longer lives beside the model."""
    more = {"CRASH_POINTS": "all", "MODEL_EXAMPLES": str(100 * options.repeat), "MODEL_STEPS": "60"}
    for name, path in (("R7", "tests/engine/test_crash_points.py"), ("F5", "tests/model")):
        for where in ("SQLite", "PostgreSQL + Redis"):
            if only and name not in only:
                continue
            for seed in seeds_of(options.seeds) if name == "F5" else [None]:
                extra = more if seed is None else more | {"MODEL_SEED": str(seed)}

                def drill_of(_row: Row, where: str = where, extra: dict[str, str] = extra,
                             path: str = path) -> str:  # fmt: skip
                    return _pytest(where, path, extra)

                report.run(Row(name, where, seed), drill_of)


def _pytest(where: str, path: str, more: dict[str, str]) -> str:
    with ExitStack() as stack:
        if where != "SQLite":
            more = more | stack.enter_context(servers()).environment()
        words = (sys.executable, "-m", "pytest", "-q", "-x", path)
        done = subprocess.run(
            words, cwd=CHECKOUT, env={**os.environ, **more}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout[-3000:]
    return last.strip("= ")


def main() -> int:
    """Run what was asked for; 0 if no promise was broken."""
    words = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    words.add_argument("--seeds", default="10", help="how many, or which: 10, or 3,7")
    words.add_argument("--kills", type=int, default=60, help="per sweep of R1")
    words.add_argument("--trials", type=int, default=TRIALS, help="per sweep of R1")
    words.add_argument("--minutes", type=float, help="start no drill after so long")
    words.add_argument("--only", default="", help="R1,R3,…; all without it")
    words.add_argument("--repeat", type=int, default=5, help="how often what can be repeated")
    options = words.parse_args()
    only = {name.strip() for name in options.only.split(",") if name.strip()}
    report = Report(options.minutes)
    in_process(report, only, options)
    for where in ("SQLite", "PostgreSQL + Redis"):
        if only and only <= {"R7", "F5"}:
            break
        with surroundings(where) as (studio, back_ends):
            for name, acts in drills(options.repeat).items():
                for act in acts if not only or name in only else ():
                    report.run(Row(name, where, None), lambda _row, act=act: act(studio, back_ends))
            if not only or "R1" in only:
                random_kills(report, studio, where, options)
    return 0 if report.print() else 1


if __name__ == "__main__":
    sys.exit(main())
