"""What holds after every sweep, whatever was done to the studio: from rows, runs and processes.

The numbers are those of the project's fault plan: I1 trials, I2 one accepted result each, I3 all
final, I4 no process left, I5 MLflow runs, I6 concurrency (`processes.Watch`), I7 transitions,
I8 sound databases and a log without surprises.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sweeps.domain.job import Sampling
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.samplers.base import SuggestRequest
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import (
    FINAL_SWEEP,
    FINAL_TRIAL,
    SWEEP_TRANSITIONS,
    TRIAL_TRANSITIONS,
    SweepStatus,
    TrialStatus,
)
from tests.e2e import journal
from tests.e2e.processes import carriers, too_many, zombies
from tests.e2e.stores import Row, document
from tests.e2e.studios import Studio, until

Oracle = Callable[[dict[str, Any]], float]
# All values that a trial logs, in order, when nothing ends it early.
Curve = Callable[[dict[str, Any]], Sequence[float]]


def check(
    studio: Studio,
    name: str,
    trials: int,
    oracle: Oracle | None = None,
    *,
    curve: Curve | None = None,
    expected: Sequence[str] = (),
) -> None:
    """Raise AssertionError for the first promise that the sweep breaks.

    `expected` are patterns of errors that may stand in the studio's log, because the test did
    something that must make them.
    """
    until(lambda: not carriers(f".{name}."), f"the end of all processes of {name}", 10)  # I4
    query = "SELECT * FROM sweeps_sweep WHERE name = ?"
    until(lambda: studio.rows(query, name)[0]["run_closed"], f"the closing of {name}", 15)
    [sweep] = studio.rows(query, name)
    rows = studio.rows("SELECT * FROM sweeps_trial WHERE sweep_id = ? ORDER BY number", sweep["id"])
    assert [row["number"] for row in rows] == list(range(trials)), "I1"
    _check_draws(sweep, rows)
    assert SweepStatus(sweep["status"]) in FINAL_SWEEP, "I3"
    assert {TrialStatus(row["status"]) for row in rows} <= FINAL_TRIAL, "I3"
    _check_attempts(studio, sweep, name)
    _check_log(studio, sweep, rows)
    if oracle:
        for row in rows:
            if row["status"] == "Completed":
                assert abs(row["objective"] - oracle(document(row["params"]))) < 1e-9, "I2"
    if curve:
        _check_values(studio, rows, curve)
    _check_parts(studio)
    check_sound(studio, expected)


def check_sound(studio: Studio, expected: Sequence[str] = ()) -> None:
    """I8: whole databases, no answer with a server error, no traceback that nobody expects."""
    for path in studio.home.glob("*.db"):
        [[answer]] = studio.read_file(path, "PRAGMA integrity_check")
        assert answer == "ok", f"I8: {path}: {answer}"
    broken = [line for line in studio.refused if line.startswith("500")]
    assert not broken, f"I8: {broken}"
    surprises = journal.unaccounted(studio.news(), expected)
    assert not surprises, f"I8: {surprises}; the log: {studio.log}"


def _check_draws(sweep: Row, rows: Sequence[Row]) -> None:
    """I1: every number has its own point; a random one is the function of seed and number it is."""
    space, sampling = parse_space(document(sweep["search_space"])), document(sweep["sampling"])
    drawn = [row for row in rows if document(row["draw"])]
    if any(leaf.get("type") == "uniform" for leaf in document(sweep["search_space"]).values()):
        points = [str(document(row["params"])) for row in drawn]
        assert len(points) == len(set(points)), "I1: two trials with one point"
    if sampling["algorithm"] != "random":
        return
    objective = Objective(sweep["primary_metric"], Goal(sweep["goal"]))
    for row in drawn:
        request = SuggestRequest(
            space, objective, Sampling(**sampling), sweep["seed"], row["number"]
        )
        point = get_sampler("random").suggest(request)
        assert document(row["params"]) == point.params, f"I1: trial {row['number']} is another one"


def _check_attempts(studio: Studio, sweep: Row, name: str) -> None:
    attempts = studio.rows(
        "SELECT a.*, t.number AS trial, t.status, t.run_id AS shown FROM sweeps_attempt a "
        "JOIN sweeps_trial t ON t.id = a.trial_id WHERE t.sweep_id = ?",
        sweep["id"],
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
            sweep["uid"],
        )
    }
    assert "RUNNING" not in runs.values(), f"I5: {name} has runs that never end: {runs}"
    for row in attempts:
        if row["run_id"]:
            good = row["accepted"] and row["status"] == "Completed"
            assert (runs[row["run_id"]] == "FINISHED") == bool(good), f"I5: trial {row['trial']}"
    parents = 1 if sweep["run_id"] else 0
    twins = len(runs) - parents - len({row["run_id"] for row in attempts if row["run_id"]})
    assert twins == 0, "I5: a run that no attempt knows"


def _check_log(studio: Studio, sweep: Row, rows: Sequence[Row]) -> None:
    """I7: each change follows the one before it, by an allowed step, up to the status shown."""
    changes = studio.rows(
        "SELECT * FROM sweeps_statechange WHERE sweep_id = ? ORDER BY id", sweep["id"]
    )
    shown = {row["id"]: row["status"] for row in rows} | {None: sweep["status"]}

    def whose(change: Row) -> Any:
        return change["trial_id"]

    in_order = sorted(changes, key=lambda change: (whose(change) or 0, change["id"]))
    seen = set()
    for key, group in groupby(in_order, whose):
        allowed: Any = TRIAL_TRANSITIONS if key else SWEEP_TRANSITIONS
        kind: Any = TrialStatus if key else SweepStatus
        status = ""
        for change in group:
            step = f"I7: {change['before']} → {change['after']} of {key}, which was {status}"
            assert change["before"] == status, step
            # A search space that has run out leaves the status as it is.
            ran_out = not key and change["after"] == status and change["reason"]
            assert not status or ran_out or change["after"] in allowed[kind(status)], step
            status = change["after"]
        assert status == shown[key], f"I7: {key} shows {shown[key]}, its log ends with {status}"
        seen.add(key)
    assert seen == set(shown), "I7: something without a log"


def _check_values(studio: Studio, rows: Sequence[Row], curve: Curve) -> None:
    """I2: what counts is what the script logged, value by value, here and in MLflow."""
    for row in rows:
        points = studio.rows(
            "SELECT p.value FROM sweeps_metricpoint p JOIN sweeps_attempt a ON a.id = p.attempt_id "
            "WHERE a.trial_id = ? AND a.number = ? ORDER BY p.report",
            row["id"],
            row["attempt"],
        )
        due = list(curve(document(row["params"])))
        got = [point["value"] for point in points]
        who = f"I2: trial {row['number']} ({row['status']})"
        if row["status"] == "Completed":
            assert got == due, who
            assert row["objective"] == min(due), who
            stored = studio.runs(
                "SELECT value FROM metrics WHERE run_uuid = ? AND key = ? ORDER BY step",
                row["run_id"],
                "loss",
            )
            assert [point["value"] for point in stored] == due, f"{who} in MLflow"
        else:
            assert got == due[: len(got)], who


def _check_parts(studio: Studio) -> None:
    """I4: nothing dead lies about, and no part runs twice."""
    if studio.process is None or studio.process.poll() is not None:
        return
    until(lambda: not zombies(studio.home), f"no zombie of {studio.home}", 5)
    # A part that fell twice is started again after some seconds only.
    until(lambda: not too_many(studio.home), f"each part once: {too_many(studio.home)}", 40)
