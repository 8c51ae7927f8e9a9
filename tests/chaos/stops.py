"""Drills that stop a whole studio: in good order, out of space, or copied away while it works."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.chaos.servers import Servers
from tests.chaos.victims import strike
from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import belonging, wait_none_left
from tests.e2e.studios import Studio, until


def graceful(times: int) -> Any:
    """R10: Ctrl-C puts running trials back; none counts as failed or lost."""

    def drill(studio: Studio, _servers: Servers | None) -> str:
        trials, slowest = 8 * times, 0.0
        name = studio.submit(jobs.toy(trials, 4, "--seconds", "2"))
        for _ in range(times):
            studio.wait_running(name, 1, 60)
            began = time.monotonic()
            assert studio.stop() == 0
            slowest = max(slowest, time.monotonic() - began)
            wait_none_left(studio.home)
            rows = studio.rows("SELECT losses, failures, status FROM sweeps_trial")
            assert all(row["losses"] == row["failures"] == 0 for row in rows)
            assert not [row for row in rows if row["status"] in ("Starting", "Running")]
            studio.start()
        sweep = studio.wait_final(name, 180)
        assert sweep["counts"] == {"Completed": trials}
        check(studio, name, trials, curve=jobs.toy_curve())
        return f"{times} stops of at most {slowest:.1f} s, {trials} of {trials} completed"

    return drill


def suggestions(studio: Studio, algorithm: str, disturbed: bool) -> list[Any]:
    """The points of a sweep at concurrency 1; `disturbed` by two deaths and a stop on its way."""
    job = jobs.toy(26, 1, sampling_algorithm={"type": algorithm, "seed": 5})
    name = studio.submit(job)
    if disturbed:
        for count, act in ((6, "engine"), (14, "queue"), (22, "stop")):
            until(
                lambda: studio.get(f"sweeps/{name}")["counts"].get("Completed", 0) >= count,  # noqa: B023
                f"{count} trials",
                120,
            )
            if act == "stop":
                assert studio.stop() == 0
                studio.start()
            else:
                studio.kill(act)
    studio.wait_final(name, 180)
    check(studio, name, 26, curve=jobs.toy_curve())
    return [trial["params"] for trial in studio.trials(name)]


def resume(studio: Studio, _servers: Servers | None) -> str:
    """R17: a sweep that was interrupted draws the very points that it would have drawn."""
    for algorithm in ("random", "bayesian"):
        calm, disturbed = (suggestions(studio, algorithm, way) for way in (False, True))
        assert calm == disturbed, f"{algorithm}: other points after a restart"
    return "26 points each by random and bayesian, the same with two deaths and a stop"


def copied(studio: Studio, servers: Servers | None) -> str:
    """A copy of STUDIO_HOME, taken while everything runs, starts elsewhere and completes."""
    if servers is not None:
        return "the rows are not in STUDIO_HOME"
    name = studio.submit(jobs.toy(24, 4, "--seconds", "1", "--reports", "2"))
    studio.wait_running(name, 4)
    until(lambda: studio.get(f"sweeps/{name}")["counts"].get("Completed"), "a completed trial", 60)
    with tempfile.TemporaryDirectory(prefix="copy-") as folder:
        home = Path(folder) / "home"
        _copy(studio, home)
        copy = Studio(home)
        copy.token = studio.token
        try:
            copy.start(seconds=90)
            sweep = copy.wait_final(name, 180)
            assert sweep["counts"] == {"Completed": 24}, (sweep["counts"], sweep["reason"])
            check(copy, name, 24, curve=jobs.toy_curve(0, 2))
        finally:
            copy.close()
    assert studio.wait_final(name, 90)["counts"] == {"Completed": 24}
    check(studio, name, 24, curve=jobs.toy_curve(0, 2))
    return "24 of 24 in the copy, and in the original, which nobody disturbed"


def _copy(studio: Studio, home: Path) -> None:
    """As a snapshot of the disk: nothing moves while it is taken."""
    pids = list(belonging(studio.home))
    for pid in pids:
        strike(pid, signal.SIGSTOP)
    try:
        subprocess.run(["cp", "-a", str(studio.home), str(home)], check=True)
    finally:
        for pid in pids:
            strike(pid, signal.SIGCONT)
    # The log is the tests' own, and says of the original that it is ready.
    (home / "studio.log").unlink()


@contextmanager
def small_disk(mebibytes: int) -> Iterator[Path | None]:
    """A file system of its own; None where we may not mount one."""
    place = Path(tempfile.mkdtemp(prefix="small-disk-"))
    options = f"size={mebibytes}m"
    words = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


def full_disk(_studio: Studio, servers: Servers | None) -> str:
    """R11: the disk fills up: the sweep pauses and says why, pages work, and it goes on after."""
    if servers is not None:
        return "the same as on SQLite"
    with small_disk(1024) as place:
        if place is None:
            return "NOT TRIED: this user may not mount a small file system"
        studio = Studio(place / "home")
        try:
            studio.start()
            return _fill_and_free(studio, place / "ballast")
        finally:
            studio.close()


def _fill_and_free(studio: Studio, ballast: Path) -> str:
    name = studio.submit(jobs.toy(30, 2, "--seconds", "0.5"))
    until(lambda: studio.get(f"sweeps/{name}")["counts"].get("Completed"), "a completed trial", 60)
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:  # until there is nothing left
            file.write(bytes(2**20))
    until(lambda: studio.get(f"sweeps/{name}")["status"] == "Paused", "the pause", 60)
    said = studio.get(f"sweeps/{name}")["reason"]
    assert "disk" in said.lower(), said
    ballast.unlink()
    sweep = studio.wait_final(name, 120)
    assert sweep["counts"] == {"Completed": 30}, (sweep["counts"], sweep["reason"])
    check(studio, name, 30, curve=jobs.toy_curve(), expected=("No space left", "disk is full"))
    return f"paused: {said[:100]}"
