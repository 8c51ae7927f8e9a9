"""What a sweep promises, in a hundred lines: no database, no queue, no processes.

The machine tells it what was asked and what scripts did; it says what may be seen after that.
"""

import math
from dataclasses import dataclass, field
from typing import Any

RUN, PAUSE, STOP, CANCEL = "run", "pause", "stop", "cancel"
EARLY = "terminate_early"
REFUSED = "refused"
LIVE = {"Queued", "Starting", "Running"}
WINNING = {"Completed", "EarlyTerminated"}
PROBLEMS = {"Failed", "Lost"}


@dataclass
class TrialModel:
    """A trial: what it must be by what happened to its newest attempt."""

    status: str = "Queued"
    attempt: int = 0
    wish: str = RUN
    logged: list[float] = field(default_factory=list)
    # Those logged before anybody wanted it stopped.
    counted: list[float] = field(default_factory=list)
    losses: int = 0
    failures: int = 0

    @property
    def best(self) -> float | None:
        """The least of its finite values; what came after the order to stop counts only for a
        trial that completed all the same."""
        values = self.logged if self.status == "Completed" else self.counted
        return min((value for value in values if math.isfinite(value)), default=None)

    @property
    def is_measured(self) -> bool:
        """True if it logged a finite value."""
        return any(math.isfinite(value) for value in self.logged)


@dataclass
class SweepModel:
    """A sweep: what people want of it, and its trials."""

    total: int
    at_once: int
    retries: int
    infrastructure_retries: int
    breaker: int
    wish: str = RUN
    over: bool = False
    # It had ended, and came back for some of its trials alone; as what it ended then.
    alone: bool = False
    ended_as: str = ""
    trials: dict[int, TrialModel] = field(default_factory=dict)

    def answer(self, wish: str) -> Any:
        """What pause, resume (run), stop and cancel answer: did it, did nothing, refused."""
        if wish in (STOP, CANCEL):
            if self.wish == wish:
                return False
            refused = self.over or (wish == STOP and self.wish == CANCEL)
        elif wish == PAUSE:
            if self.wish == PAUSE and not self.over:
                return False
            refused = self.over or self.wish in (STOP, CANCEL)
        else:
            if self.wish == RUN and not self.over:
                return False
            refused = self.over or self.wish != PAUSE
        return REFUSED if refused else True

    def want(self, wish: str) -> None:
        """It was done: queued trials end when the sweep is ended, running ones are asked to."""
        self.wish = wish
        for trial in self.trials.values():
            if wish in (STOP, CANCEL) and trial.status == "Queued":
                trial.status = "Canceled"
            elif wish == CANCEL and trial.status in LIVE:
                trial.wish = CANCEL

    def revive(self, *, alone: bool) -> None:
        """Somebody wants more of it; nothing new for a sweep that is not over."""
        if self.over:
            self.over, self.wish, self.alone = False, RUN, alone

    def end(self) -> None:
        """All its trials have ended. A canceled sweep stays one when a trial is run again."""
        if self.wish == CANCEL or (self.alone and self.ended_as == "Canceled"):
            self.ended_as = "Canceled"
        else:
            results = [t.best for t in self.trials.values() if t.status in WINNING]
            found = any(value is not None for value in results)
            self.ended_as = "Completed" if found else "Failed"
        self.over = True

    @property
    def is_ending(self) -> bool:
        """Nothing starts any more."""
        return self.wish in (STOP, CANCEL)

    def verdict(self, trial: TrialModel, ending: str) -> str:
        """The status that follows when the command of the newest attempt ended so."""
        if ending == "exit 0" and trial.is_measured:
            return "Completed"
        if ending in ("exit 0", "exit 1", "signal"):
            return self._again("Failed", trial, trial.failures < self.retries)
        if trial.wish != RUN:
            return "EarlyTerminated" if trial.wish == EARLY else "Canceled"
        if ending == "stopped":
            return self._again("Queued", trial, True)
        return self._again("Lost", trial, trial.losses < self.infrastructure_retries)

    def _again(self, otherwise: str, trial: TrialModel, may: bool) -> str:
        if not may or trial.wish != RUN:
            return otherwise
        return "Canceled" if self.is_ending else "Queued"

    def settle(self, trial: TrialModel, ending: str) -> None:
        """The command has ended and the studio has seen it."""
        trial.status = self.verdict(trial, ending)
        own_fault = ending in ("exit 1", "signal") or (ending == "exit 0" and not trial.is_measured)
        trial.failures += own_fault
        trial.losses += ending in ("lost", "SIGKILL") and trial.wish == RUN
