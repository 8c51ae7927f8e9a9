"""Keeping the parts alive, and ending them in order."""

import os
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from studio.supervisor.fork import Work
from studio.supervisor.home import remember
from studio.supervisor.lines import Outputs, flush, say
from studio.supervisor.part import Part, describe, monotonic
from studio.supervisor.probe import Probe
from studio.supervisor.processes import Identity

# An ended child, a signal and a line wake the supervisor; this is for what is due by the clock.
TICK_S = 0.2
PROBE_S = 5.0
# While not everything is up.
PROBE_SOON_S = 0.5
# Starting mlflow's server takes a few seconds on a busy machine; then it must answer.
STARTUP_S = 90.0
UNHEALTHY_S = 45.0
# The parts that wait for the witness's first answer do so no longer than this.
WITNESS_S = 20.0
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs `parts`, given in the order in which they are stopped.

    `witness` is the part that answers `health_url` with the state of all parts.
    """

    def __init__(
        self, home: Path, parts: Sequence[Part], health_url: str, witness: str = "web"
    ) -> None:
        self.parts = {part.name: part for part in parts}
        self._home, self._witness = home, witness
        self._probe, self._outputs = Probe(health_url), Outputs()
        self._beside: list[Part] = []
        self._signal: signal.Signals | None = None
        self._asked = 0
        self._probed = 0.0
        self._answers = self._all_up = False
        self._is_remembered = True
        self._bell, bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)

    def start(self, name: str) -> None:
        """Start one part now, before the others: it takes longest."""
        self._start(self.parts[name])

    def run(
        self,
        ready: Callable[[], None],
        leave_trials: bool,
        answers: Callable[[], None] = lambda: None,
        prepare: Callable[[], None] = lambda: None,
    ) -> int:
        """Supervise until a signal; `ready` is called once, when every part is up.

        Before that, `answers` is called when the witness answers, and then `prepare`, which may
        take seconds of a core, ahead of the start of the parts that wait for it.
        """
        for number in _STOPS:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to be woken
        due = [
            (lambda: self._answers, answers),
            (self._may_go_on, lambda: self._go_on(prepare)),
            (lambda: self._all_up, ready),
        ]
        while self._signal is None:
            self._round()
            self._look_after_health()
            for step in [step for step in due if step[0]()]:
                due.remove(step)
                step[1]()
            self._wait(TICK_S)
        self._stop(leave_trials or self._signal is signal.SIGHUP)
        return 0

    def _may_go_on(self) -> bool:
        began = self.parts[self._witness].started
        return self._answers or (began > 0 and monotonic() - began > WITNESS_S)

    def _go_on(self, prepare: Callable[[], None]) -> None:
        prepare()
        for part in self.parts.values():
            part.waits = False

    def abandon(self) -> None:
        """End what was started, at once: the rest of the studio could not be set up."""
        for part in self.parts.values():
            part.kill()
        self._write_down({})

    def run_once(self, name: str, work: Work) -> None:
        """Do something beside the parts, its output in the same log; it is not restarted."""
        part = Part(name, work, grace_s=2.0)
        self._beside.append(part)
        self._start(part)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signal = signal.Signals(number)
        self._asked += 1

    def _start(self, part: Part) -> None:
        self._outputs.add(part.name, part.start(monotonic(), self._remember))

    def _wait(self, seconds: float) -> None:
        """Return when a child has ended, a signal or an answer has come, or after `seconds`."""
        reads, writes = self._probe.waits_for()
        poll = select.poll()
        for descriptor in (self._bell, *self._outputs.descriptors, *reads):
            poll.register(descriptor, select.POLLIN)
        for descriptor in writes:
            poll.register(descriptor, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
        if self._bell in ready:
            os.read(self._bell, 4096)
        self._outputs.read(ready.intersection(self._outputs.descriptors))
        flush()

    def _round(self) -> None:
        """Reap whatever ended and start what is due."""
        self._reap()
        if not self._is_remembered:
            self._remember()
        now = monotonic()
        for part in self.parts.values():
            is_due = part.restart_at is not None and now >= part.restart_at
            if part.identity is None and is_due and not part.waits:
                self._start(part)
            elif part.identity and now - part.healthy > self._patience(part, now):
                say(part.name, "does not answer; it is started again")
                part.kill()

    def _patience(self, part: Part, now: float) -> float:
        return STARTUP_S if now - part.started < STARTUP_S else UNHEALTHY_S

    def _reap(self) -> None:
        """Collect ended children: parts, and trials' guards that became ours."""
        for part, status in self._ended():
            if part in self._beside:
                part.ended()
            else:
                self._all_up = False
                if not part.is_inherited(status):
                    part.fell(status, monotonic())
            self._remember()

    def _ended(self) -> Iterator[tuple[Part, int]]:
        """The parts that have ended, with their wait statuses, and all that they printed told."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._outputs.drain()
            for part in (*self._beside, *self.parts.values()):
                if part.pid == pid:
                    yield part, status

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

    def _look_after_health(self) -> None:
        """Ask /healthz when it is time to; take its answer when that has come."""
        now = monotonic()
        interval = PROBE_S if self._all_up else PROBE_SOON_S
        if not self._probe.is_open and now - self._probed >= interval:
            self._probed = now
            self._probe.ask(now)
        states = self._probe.step(now)
        if states is not None:
            self._heard(states, now)

    def _heard(self, states: dict[str, str], now: float) -> None:
        """What /healthz says of every part: remember who was up."""
        is_blind = states.get("database") == "down"
        for name, part in self.parts.items():
            # While the witness is silent only it can be blamed, and while it has no database to
            # ask none of those that it knows from there.
            unknown = (is_blind and part.seen_in_rows) or (not states and name != self._witness)
            if states.get(name) == "up" or unknown:
                part.healthy = now
        self._answers = self._answers or states.get(self._witness) == "up"
        self._all_up = all(
            states.get(name) == "up" and not part.waits for name, part in self.parts.items()
        )

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
        self._outputs.drain()
        say("studio", "stopped")

    def _wait_for(self, awaited: Part) -> bool:
        deadline = monotonic() + awaited.grace_s
        while awaited.pid is not None and self._asked <= 1 and monotonic() <= deadline:
            self._wait(TICK_S)
            for part, status in self._ended():
                part.ended()
                if part is not awaited:
                    say(part.name, f"ended ({describe(status)})")
        return awaited.pid is None
