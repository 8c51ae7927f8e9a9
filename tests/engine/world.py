"""A whole studio in one process: engine, queue and scripts, any of which may die at any instant.

A death is a `Crash` at a named point. What a killed process would not have done is not done either:
leases stay, the message it worked on is lost, its engine and waker are thrown away.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY

from sweeps import tasks
from sweeps.engine import forward, loop, start, steps
from sweeps.models import Attempt, Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.records import early_termination_of, objective_of
from sweeps.services import leases, metrics
from tests.engine.conftest import Stage, name_of

REPORTS = 2
# Longer than a claim's lease and the engine's: what the dead held is free again.
DOWN_S = 11


class Crash(BaseException):
    """The process is killed here. No handler of the studio catches it."""


def value_of(number: int, report: int) -> float:
    """What trial `number` logs at `report`, from 1: less each time, and less than those before."""
    return 10.0 - number + (REPORTS - report)


class World:
    """One sweep and its surroundings. `exits` maps names of attempts to other exits than 0."""

    def __init__(self, stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage, self.sweep, self.now = stage, sweep, stage.now
        self.crashes = 0
        self.scripts_end_meanwhile = False
        self.queue_dies_too = False
        self.exits: dict[str, Any] = {}
        self._patch, self._dead = monkeypatch, False
        self._reports: dict[str, int] = {}
        self._make_time_ours()
        self._engine = loop.Engine()

    def _make_time_ours(self) -> None:
        clock = lambda: self.now  # noqa: E731
        for module in (tasks, loop):
            self._patch.setattr(module, "database_now", clock)
        for function in (start.start_trial, start.recover, forward.forward):
            given = [clock if value is database_now else value for value in function.__defaults__]
            assert clock in given
            self._patch.setattr(function, "__defaults__", tuple(given))
        # In this process nobody else could bring the run forward meanwhile.
        self._patch.setattr(forward.drain, "__defaults__", (0.0,))
        seconds = lambda: self.now.timestamp()  # noqa: E731
        self._patch.setattr(steps.Waker.__init__, "__defaults__", (seconds,))
        for pace in ("RENEW_S", "FORWARD_S", "RECONCILE_S"):
            self._patch.setattr(loop, pace, 0.0)
        release = leases.release

        def release_if_alive(name: str, owner: str) -> None:
            if not self._dead:
                release(name, owner)

        self._patch.setattr(leases, "release", release_if_alive)

    # --- death ----------------------------------------------------------------------------------
    def crash_at(self, place: str, *, before: bool, nth: int = 1) -> None:
        """Die right before or right after the `nth` call of `place` (module:name)."""
        self._arm(self._patch, place, before, nth)

    @contextmanager
    def deadly(self, place: str, *, before: bool, nth: int = 1) -> Iterator[None]:
        """The same for the time of a block; the place may not be reached."""
        with self._patch.context() as patch:
            self._arm(patch, place, before, nth)
            yield

    def _arm(self, patch: pytest.MonkeyPatch, place: str, before: bool, nth: int) -> None:
        module, _, name = place.partition(":")
        owner = {
            "tracking": self.stage.tracking, "runner": self.stage.runner, "queue": HUEY,
        }.get(module)  # fmt: skip
        owner = owner or import_module(f"sweeps.{module}")
        for part in name.split(".")[:-1]:
            owner = getattr(owner, part)
        name = name.rpartition(".")[2]
        real, calls = getattr(owner, name), [0]

        def deadly(*args: Any, **more: Any) -> Any:
            calls[0] += 1
            if calls[0] == nth and before:
                self._die(place)
            answer = real(*args, **more)
            if calls[0] == nth:
                self._die(place)
            return answer

        patch.setattr(owner, name, deadly)

    def _die(self, place: str) -> None:
        self.crashes += 1
        self._dead = True
        raise Crash(place)

    def guarded(self, act: Callable[[], Any]) -> bool:
        """Act; False if that killed whoever acted, who then is replaced some time later."""
        try:
            act()
        except Crash:
            self.restart()
            return False
        return True

    def restart(self) -> None:
        """What died comes back; leases have run out, scripts went on or stood still."""
        self._dead = False
        if self.queue_dies_too:
            HUEY.flush()
        self.now += timedelta(seconds=DOWN_S)
        if self.scripts_end_meanwhile:
            for _ in range(REPORTS + 1):
                self._scripts()
        self._engine = loop.Engine()

    def stop_and_start(self) -> None:
        """Ctrl-C: the engine puts everything back, as far as it gets; then the next start."""
        for _ in range(5):
            self.now += timedelta(seconds=1)
            if self._engine._all_put_back():
                break
            self.queue_works(20)
        leases.clear(tasks.draining())
        leases.release(loop.LEAD, self._engine.owner)
        self._engine = loop.Engine()

    # --- life -----------------------------------------------------------------------------------
    def round(self) -> None:
        """Everybody does a step."""
        self.now += timedelta(seconds=1)
        self.engine_steps()
        self.queue_works(60)
        self._scripts()

    def engine_steps(self) -> None:
        """The engine looks once."""
        self.guarded(self._engine._step)

    def until(self, done: Callable[[], Any], what: str, rounds: int = 120) -> None:
        """Live on until something is true."""
        for _ in range(rounds):
            if done():
                return
            self.round()
        raise AssertionError(f"{what} never comes; {self.statuses()}, {self.sweep.status}")

    def until_over(self) -> None:
        """Live on until the sweep and its runs are closed."""

        def over() -> bool:
            self.sweep.refresh_from_db()
            return self.sweep.run_closed

        self.until(over, "the end of the sweep")

    def until_running(self, count: int = 1) -> list[Attempt]:
        """Attempts whose commands run, once there are so many."""
        found: list[Attempt] = []

        def enough() -> bool:
            open_ones = Attempt.objects.open().filter(trial__sweep=self.sweep)
            found[:] = open_ones.exclude(handle="").order_by("trial__number")
            return len(found) >= count

        self.until(enough, f"{count} running trials")
        return found

    def person(self, act: Callable[[], Any]) -> None:
        """Somebody clicks; if that kills the web process, they click again."""
        while not self.guarded(act):
            self.sweep.refresh_from_db()

    def queue_works(self, count: int) -> None:
        """The queue gets through so many messages at most."""
        for _ in range(count):
            task = HUEY.dequeue()
            if task is None:
                return
            # Not HUEY.execute, which would close the connection that holds the test's transaction.
            self.guarded(lambda: getattr(tasks, task.name).call_local(*task.args))  # noqa: B023

    def _scripts(self) -> None:
        """Every started command logs its next value, or ends. A killed web is asked again."""
        runner = self.stage.runner
        for name in list(runner.started):
            if runner.is_over(name):
                continue
            attempt = self.attempt_called(name)
            report = self._reports.get(name, 0) + 1
            if report > REPORTS or name in self.exits:
                self._exit(attempt, name)
                continue
            value = value_of(attempt.trial.number, report)
            if self.guarded(lambda: self._try_to_log(attempt, value, report)):  # noqa: B023
                self._reports[name] = report

    def _try_to_log(self, attempt: Attempt, value: float, report: int) -> None:
        with suppress(metrics.Superseded):
            self.log(attempt, value, report)

    def log(self, attempt: Attempt, value: float, report: int) -> None:
        """One logging call of a script, as the gateway takes it. Raises Superseded."""
        shown = value if math.isfinite(value) else str(value)
        body = {"metrics": [{"key": "loss", "value": shown, "step": report}]}
        sweep = attempt.trial.sweep
        metrics.record(
            attempt,
            objective_of(sweep),
            [metrics.Value("loss", value, report, report)],
            [body],
            now=self.now,
            early=early_termination_of(sweep),
        )

    def _exit(self, attempt: Attempt, name: str) -> None:
        how = self.exits.get(name, 0)
        if how == "lost":
            self.stage.runner.lose(name, "power cut")
        else:
            self.stage.now = self.now
            self.stage.end(attempt, code=how)

    def attempt_called(self, name: str) -> Attempt:
        """The attempt that the runner knows by this name."""
        _, _, trial, number = name.rsplit(".", 3)
        rows = Attempt.objects.select_related("trial__sweep__workspace")
        found = rows.get(trial__sweep=self.sweep, trial__number=trial, number=number)
        assert name_of(found) == name
        return found

    def statuses(self) -> list[str]:
        """Of all trials, by number."""
        return list(self.sweep.trials.order_by("number").values_list("status", flat=True))
