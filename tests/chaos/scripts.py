"""Drills with hostile, broken and odd scripts: only their own trial suffers."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.parts import _moment, longest_gap
from tests.chaos.servers import Servers
from tests.chaos.victims import parent_of, strike
from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import carriers
from tests.e2e.studios import Studio, until
from tests.runners.processes import pids_with

HOSTILE = Path(__file__).parents[1] / "runners" / "hostile.py"
KINDS = "plain setsid clean daemon"
GRACE_S = 5.0
Drill = Callable[[Studio, Servers | None], str]


def hostile_trees(times: int) -> Drill:
    """R8: cancelled, out of time or terminated early, nothing survives the grace."""

    def drill(studio: Studio, _servers: Servers | None) -> str:
        ways = (_cancel, _time_out, _terminate_early)
        took = [
            ways[number % 3](studio, f"chaos-{studio.port}-{time.time_ns()}")
            for number in range(times)
        ]
        return f"{times} trees, gone within {max(took):.1f} s (grace {GRACE_S:g} s)"

    return drill


def _cancel(studio: Studio, token: str) -> float:
    """A person cancels a sweep of one hostile trial."""
    name = studio.submit(jobs.job(f"python {HOSTILE} {token} 600 {KINDS}", trials=1))
    until(lambda: len(pids_with(token)) >= 5, "the hostile tree", 30)
    began = time.monotonic()
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    return _gone(studio, name, token, began, "Canceled")


def _time_out(studio: Studio, token: str) -> float:
    """A hostile trial reaches its time limit of 4 s."""
    job = jobs.job(f"python {HOSTILE} {token} 600 {KINDS}", trials=1)
    job["limits"]["trial_timeout"] = 4
    name = studio.submit(job)
    until(lambda: pids_with(token), "the hostile tree", 30)
    return _gone(studio, name, token, time.monotonic() + 4, "TimedOut")


def _terminate_early(studio: Studio, token: str) -> float:
    """Of two hostile trials the worse one is terminated early, the other one then cancelled.

    The worse one begins later: nobody is compared with who has not come as far.
    """
    toy = "python toy.py --x ${{search_space.x}} --reports 100 --seconds 20 --mischief stubborn"
    begin = f"python {HOSTILE} {token} 600 {KINDS} & sleep ${{{{search_space.x}}}}"
    job = jobs.job(
        f"sh -c '{begin}; exec {toy}'", space={"x": {"type": "choice", "values": [0.3, 2.0]}}
    )
    job["sampling_algorithm"] = "grid"
    job["early_termination"] = {
        "type": "bandit", "slack_amount": 1e-9, "evaluation_interval": 1,
    }  # fmt: skip
    name = studio.submit(job)

    def sentenced() -> bool:
        return any("bandit" in trial["reason"] for trial in studio.trials(name))

    until(sentenced, "an early termination", 30)
    began = time.monotonic()
    until(lambda: len(pids_with(token)) <= 5, "the end of the worse one", GRACE_S + 10)
    took = time.monotonic() - began
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    began = time.monotonic()
    return max(took, _gone(studio, name, token, began, "EarlyTerminated"))


def _gone(studio: Studio, name: str, token: str, began: float, status: str) -> float:
    """Seconds from `began` until the last process was gone; a trial of the sweep ends so."""
    until(lambda: not pids_with(token), "the end of the hostile tree", GRACE_S + 15)
    took = time.monotonic() - began
    assert took <= GRACE_S + 2, f"{status}: the last process was gone after {took:.1f} s"
    studio.wait_final(name)
    trials = studio.trials(name)
    assert status in {trial["status"] for trial in trials}
    assert all(trial["reason"] for trial in trials)
    check(studio, name, len(trials))
    return took


# What a mischief must end as, and a word of its reason.
ODDITIES = {
    "nan": ("Completed", ""),
    "infinity": ("Completed", ""),
    "minus_infinity": ("Completed", ""),
    "huge": ("Completed", ""),
    "steps_back": ("Completed", ""),
    "text": ("Failed", "exit code 1"),
    "many_points": ("Completed", ""),
    "quiet": ("Completed", ""),
}
BROKEN = {
    "segv": ("Failed", "SIGSEGV"),
    "memory_hog": ("Failed", "MemoryError"),
    "fork_bomb": ("Failed", "no more processes"),
    "long_line": ("Completed", ""),
}


def odd_metrics(studio: Studio, _servers: Servers | None) -> str:
    """R13: each oddity has its status; nothing that is not finite ever wins."""
    for oddity, (status, word) in ODDITIES.items():
        _mischief(studio, oddity, status, word)
    name = studio.submit(jobs.job("python bad.py not-a-number ${{search_space.x}}", trials=1))
    assert studio.wait_final(name)["best_trial"] is None
    return f"{len(ODDITIES)} oddities, each with its status"


def broken_scripts(studio: Studio, _servers: Servers | None) -> str:
    """R14: only that trial fails, for a reason that names the cause, and nothing is left of it."""
    for mischief, (status, word) in BROKEN.items():
        _mischief(studio, mischief, status, word)
    logs = studio.home / "trials"
    largest = max(path.stat().st_size for path in logs.rglob("stdout.log"))
    assert largest <= 51 * 2**20, f"a log of {largest:,} bytes"
    return f"{len(BROKEN)} scripts; the gigabyte line was cut to {largest / 2**20:.0f} MiB"


def _mischief(studio: Studio, kind: str, status: str, word: str) -> None:
    name = studio.submit(jobs.toy(1, 1, "--mischief", kind))
    sweep = studio.wait_final(name, 150)
    [trial] = studio.trials(name)
    assert trial["status"] == status, f"{kind}: {trial['status']}: {trial['reason']}"
    assert word in trial["reason"], f"{kind}: {trial['reason']}"
    if status == "Completed":
        value = sweep["best_trial"]["value"]
        assert value == min(jobs.toy_curve()(trial["params"])) or kind == "steps_back", kind
    check(studio, name, 1)


def poison(studio: Studio, _servers: Servers | None) -> str:
    """R15: a command that fails at once pauses its sweep after five, not after two hundred."""
    name = studio.submit(jobs.toy(200, 2, "--failures", "99"))
    until(lambda: studio.get(f"sweeps/{name}")["status"] == "Paused", "the breaker", 60)
    until(lambda: not carriers(f".{name}."), "the last command's end", 20)
    sweep = studio.get(f"sweeps/{name}")
    failed = sweep["counts"]["Failed"]
    assert 5 <= failed <= 6, sweep["counts"]  # one more was running
    assert "5 failures in a row" in sweep["reason"], sweep["reason"]
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    studio.wait_final(name)
    check(studio, name, len(studio.trials(name)))
    return f"paused after {failed}: {sweep['reason'][:80]}"


def retries(studio: Studio, _servers: Servers | None) -> str:
    """R16: a lost machine twice, after 10 s and 20 s; a script's own failure only when asked."""
    waits = _lose_twice(studio)
    assert 9 <= waits[0] <= 16, waits
    assert 19 <= waits[1] <= 26, waits
    name = studio.submit(jobs.toy(1, 1, "--failures", "1"))
    assert studio.wait_final(name)["counts"] == {"Failed": 1}
    job = jobs.toy(1, 1, "--failures", "1")
    name = studio.submit(job | {"studio": {"failure_policy": {"retries": 1}}})
    assert studio.wait_final(name)["counts"] == {"Completed": 1}
    assert studio.trials(name)[0]["attempt"] == 2
    check(studio, name, 1, curve=jobs.toy_curve())
    return f"lost twice, tried again after {waits[0]:.0f} s and {waits[1]:.0f} s; own failure once"


def _lose_twice(studio: Studio) -> list[float]:
    """Kill everything of a trial twice; the waits until it was started again."""
    go = studio.home / "now"
    go.unlink(missing_ok=True)
    name = studio.submit(jobs.patient(go, trials=1))
    for attempt in (1, 2):
        [command] = until(lambda: list(carriers(f".{name}.0.{attempt}.")), "the command", 60)  # noqa: B023
        shim = parent_of(command)
        for pid in (parent_of(shim), shim, command):
            strike(pid)
    until(lambda: list(carriers(f".{name}.0.3.")), "the third attempt", 60)
    go.touch()
    assert studio.wait_final(name)["counts"] == {"Completed": 1}
    check(studio, name, 1, jobs.oracle)
    rows = studio.rows(
        "SELECT a.started_at, a.ended_at FROM sweeps_attempt a "
        "JOIN sweeps_trial t ON t.id = a.trial_id JOIN sweeps_sweep s ON s.id = t.sweep_id "
        "WHERE s.name = ? ORDER BY a.number",
        name,
    )
    assert longest_gap(studio, name) > 0
    spans = [(_moment(row[0]), _moment(row[1])) for row in rows]
    return [two[0] - one[1] for one, two in itertools.pairwise(spans)]
