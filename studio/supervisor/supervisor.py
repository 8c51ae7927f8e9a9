"""Keeping the parts alive, and ending them in order."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.supervisor.home import remember
from studio.supervisor.part import Part, describe, monotonic, say
from studio.supervisor.processes import Identity

TICK_S = 0.2
PROBE_S = 5.0
# Starting mlflow's server takes a few seconds on a busy machine; then it must answer.
STARTUP_S = 90.0
UNHEALTHY_S = 45.0


class Supervisor:
    """Runs `parts`, given in the order in which they are stopped.

    `witness` is the part that answers `health_url` with the state of all parts.
    """

    def __init__(
        self, home: Path, parts: Sequence[Part], health_url: str, witness: str = "web"
    ) -> None:
        self.parts = {part.name: part for part in parts}
        self._home, self._health_url, self._witness = home, health_url, witness
        self._beside: list[Part] = []
        self._signal: signal.Signals | None = None
        self._asked = 0
        self._probed = 0.0
        self._all_up = False
        self._is_remembered = True

    def run(self, ready: Callable[[], None], leave_trials: bool) -> int:
        """Supervise until a signal; `ready` is called once, when every part is up."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        announced = False
        while self._signal is None:
            self._round()
            if not announced and self._probe_due() and self._healthy():
                announced = True
                ready()
            elif announced and self._probe_due():
                self._healthy()
            time.sleep(TICK_S)
        self._stop(leave_trials or self._signal is signal.SIGHUP)
        return 0

    def run_once(self, name: str, argv: tuple[str, ...]) -> None:
        """Start a command beside the parts, its output in the same log; it is not restarted."""
        env = next(iter(self.parts.values())).env
        part = Part(name.split()[0], argv, env, grace_s=2.0)
        part.start(monotonic())
        self._beside.append(part)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signal = signal.Signals(number)
        self._asked += 1

    def _round(self) -> None:
        """Reap whatever ended and start what is due."""
        self._reap()
        if not self._is_remembered:
            self._remember()
        now = monotonic()
        for part in self.parts.values():
            if part.identity is None and part.restart_at is not None and now >= part.restart_at:
                part.start(now)
                self._remember()
            elif part.identity and now - part.healthy > self._patience(part, now):
                say(part.name, "does not answer; it is started again")
                part.kill()

    def _patience(self, part: Part, now: float) -> float:
        return STARTUP_S if now - part.started < STARTUP_S else UNHEALTHY_S

    def _reap(self) -> None:
        """Collect ended children: parts, and trials' guards that became ours."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        for part in self._beside:
            if part.pid == pid:
                part.identity = None
        for part in self.parts.values():
            if part.pid == pid:
                part.fell(status, monotonic())
                self._remember()

    def _remember(self) -> None:
        """Write down who runs; on a full disk it is tried again, and nothing else suffers."""
        everything = [*self.parts.values(), *self._beside]
        self._write_down({part.name: part.identity for part in everything if part.identity})

    def _write_down(self, running: dict[str, Identity]) -> None:
        try:
            remember(self._home, running)
        except OSError as error:
            if self._is_remembered:
                say("studio", f"cannot write down what runs, and tries again: {error}")
            self._is_remembered = False
        else:
            self._is_remembered = True

    def _probe_due(self) -> bool:
        interval = PROBE_S if self._all_up else 0.5
        if monotonic() - self._probed < interval:
            return False
        self._probed = monotonic()
        return True

    def _healthy(self) -> bool:
        """Ask /healthz, which knows every part; remember who was up. True if all were."""
        states = self._states()
        now = monotonic()
        for name, part in self.parts.items():
            # While the witness is silent, or has no database to ask, nothing is known of those it
            # knows from there: only it can be blamed.
            unknown = not states or states.get("database") == "down"
            if states.get(name) == "up" or (unknown and name != self._witness):
                part.healthy = now
        self._all_up = all(states.get(name) == "up" for name in self.parts)
        return self._all_up

    def _states(self) -> dict[str, str]:
        try:
            with urllib.request.urlopen(self._health_url, timeout=3) as answer:  # noqa: S310
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            body = _json_or_empty(error.read())
        except (OSError, ValueError):
            return {}
        parts: dict[str, str] = body.get("parts", {})
        return parts

    def _stop(self, leave_trials: bool) -> None:
        """End the parts in order; a second Ctrl-C ends them at once."""
        say("studio", "stopping" + (", trials stay running" if leave_trials else ""))
        for part in (*self._beside, *self.parts.values()):
            part.restart_at = None
            leave = leave_trials and part.name == "engine"
            part.ask_to_stop(signal.SIGHUP if leave else None)
            if not self._wait_for(part):
                part.kill()
                self._wait_for(part)
        self._write_down({})
        say("studio", "stopped")

    def _wait_for(self, part: Part) -> bool:
        deadline = monotonic() + part.grace_s
        while part.identity is not None:
            self._collect(part)
            if monotonic() > deadline or self._asked > 1:
                return False
            time.sleep(0.05)
        return True

    def _collect(self, awaited: Part) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                awaited.identity = None
                return
            if pid == 0:
                return
            for part in (*self._beside, *self.parts.values()):
                if part.pid == pid:
                    part.identity = None
                    if part is not awaited:
                        say(part.name, f"ended ({describe(status)})")


def _json_or_empty(body: bytes) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
