"""What holds after every sweep, whatever was done to the studio: from rows, runs and processes.

The numbers are those of the project's fault plan: I1 trials, I2 one accepted result each, I3 all
final, I4 no process left, I5 MLflow runs, I6 concurrency, I7 transitions, I8 sound databases.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.domain.states import (
    FINAL_SWEEP,
    FINAL_TRIAL,
    SWEEP_TRANSITIONS,
    TRIAL_TRANSITIONS,
    SweepStatus,
    TrialStatus,
)
from tests.e2e.studios import Studio, until

COOKIE = b"SWEEP_PROCESS_COOKIE="
Oracle = Callable[[dict[str, Any]], float]


def carriers(spool_part: str) -> dict[int, str]:
    """Living commands of trials whose cookie contains `spool_part`: pid -> cookie."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        for variable in variables:
            cookie = variable.removeprefix(COOKIE).decode(errors="replace")
            if variable.startswith(COOKIE) and spool_part in cookie and state not in "ZX":
                found[int(folder.name)] = cookie
    return found


def check(studio: Studio, name: str, trials: int, oracle: Oracle | None = None) -> None:
    """Raise AssertionError for the first promise that the sweep breaks."""
    until(lambda: not carriers(f".{name}."), f"the end of all processes of {name}", 10)  # I4
    query = "SELECT * FROM sweeps_sweep WHERE name = ?"
    until(lambda: studio.rows(query, name)[0]["run_closed"], f"the closing of {name}", 15)
    [sweep] = studio.rows(query, name)
    rows = studio.rows("SELECT * FROM sweeps_trial WHERE sweep_id = ? ORDER BY number", sweep["id"])
    assert [row["number"] for row in rows] == list(range(trials)), "I1"
    assert SweepStatus(sweep["status"]) in FINAL_SWEEP, "I3"
    assert {TrialStatus(row["status"]) for row in rows} <= FINAL_TRIAL, "I3"
    _check_attempts(studio, sweep["id"], name)
    _check_log(studio, sweep["id"])
    if oracle:
        for trial in studio.trials(name):
            if trial["status"] == "Completed":
                assert abs(trial["objective"] - oracle(trial["params"])) < 1e-9, "I2"
    for read in (studio.rows, studio.runs):
        assert read("PRAGMA integrity_check")[0][0] == "ok", "I8"
    assert "Internal Server Error" not in studio.log.read_text(), "I8"


def _check_attempts(studio: Studio, sweep_id: int, name: str) -> None:
    attempts = studio.rows(
        "SELECT a.*, t.number AS trial, t.status, t.run_id AS shown FROM sweeps_attempt a "
        "JOIN sweeps_trial t ON t.id = a.trial_id WHERE t.sweep_id = ?",
        sweep_id,
    )
    for row in attempts:
        assert row["ended_at"], f"I3: an attempt of trial {row['trial']} is open"
    accepted = [row["trial"] for row in attempts if row["accepted"]]
    completed = [row["trial"] for row in attempts if row["status"] == "Completed"]
    assert len(accepted) == len(set(accepted)), "I2: two accepted results of one trial"
    assert set(completed) <= set(accepted), "I2: completed without an accepted result"
    runs = {
        row["run_uuid"]: row["status"]
        for row in studio.runs(
            "SELECT r.run_uuid, r.status FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
            "WHERE t.key = 'studio.sweep' AND t.value = ?",
            studio.rows("SELECT uid FROM sweeps_sweep WHERE id = ?", sweep_id)[0]["uid"],
        )
    }
    assert "RUNNING" not in runs.values(), f"I5: {name} has runs that never end: {runs}"
    for row in attempts:
        if row["run_id"]:
            good = row["accepted"] and row["status"] == "Completed"
            assert (runs[row["run_id"]] == "FINISHED") == bool(good), f"I5: trial {row['trial']}"
    twins = len(runs) - 1 - len({row["run_id"] for row in attempts if row["run_id"]})
    assert twins == 0, "I5: a run that no attempt knows"


def _check_log(studio: Studio, sweep_id: int) -> None:
    changes = studio.rows("SELECT * FROM sweeps_statechange WHERE sweep_id = ?", sweep_id)
    for change in changes:
        if not change["before"]:
            continue
        if change["trial_id"]:
            allowed: frozenset[Any] = TRIAL_TRANSITIONS[TrialStatus(change["before"])]
        else:
            allowed = SWEEP_TRANSITIONS[SweepStatus(change["before"])]
        assert change["after"] in allowed, f"I7: {change['before']} → {change['after']}"


class Watch:
    """Samples the process table every 100 ms: how many attempts of a sweep run at once (I6)."""

    def __init__(self, name: str) -> None:
        self.most, self.samples = 0, 0
        self._name, self._over = name, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self.samples += 1
            self.most = max(self.most, len(set(carriers(f".{self._name}.").values())))

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)


def left_over(home: Path) -> list[str]:
    """Command lines of living processes that know this home: the studio's, guards and shims."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if str(home).encode() in words:
                found.append(words.split(b"\0\0")[0].replace(b"\0", b" ").decode()[:200])
    return found


def wait_none_left(home: Path, seconds: float = 10) -> None:
    """Fail unless every process of the studio has gone."""
    deadline = time.monotonic() + seconds
    while left := left_over(home):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
