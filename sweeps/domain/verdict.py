"""What became of a trial: its status, and a reason that a person can act on."""

import signal
from dataclasses import dataclass
from enum import StrEnum

from sweeps.domain.durations import format_duration
from sweeps.domain.states import Desired, TrialStatus

# An attempt that the machine lost is tried again this many times.
MAX_LOSSES = 2
# Seconds before the first and the second further try.
BACKOFF_S = (10, 20)
_NAMES_SHOWN = 8


class Ending(StrEnum):
    """How an attempt's command ended, whatever ran it."""

    EXIT = "exit"
    SIGNAL = "signal"
    STOPPED = "stopped"
    TIME_LIMIT = "time_limit"
    LOST = "lost"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt. `message` is the runner's sentence, `last_words` the log's end."""

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    last_words: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """What the attempt logged: reports of the primary metric, and every metric's name."""

    reports: int
    has_finite: bool
    names: tuple[str, ...]
    last: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The trial's new status and why; Queued with `wait_s` means that it is tried again."""

    status: TrialStatus
    reason: str = ""
    lost: bool = False
    wait_s: int = 0


def judge(
    outcome: Outcome,
    logged: Logged,
    *,
    metric: str,
    desired: Desired,
    wish_reason: str,
    losses: int,
    trial_timeout_s: int | None,
) -> Verdict:
    """The verdict on an ended attempt.

    `losses` counts earlier attempts that the machine lost; `wish_reason` says who wanted the trial
    stopped and why.
    """
    match outcome.ending:
        case Ending.EXIT:
            return _exited(outcome, logged, metric)
        case Ending.STOPPED:
            return _stopped(desired, wish_reason)
        case Ending.TIME_LIMIT:
            limit = format_duration(trial_timeout_s or 0)
            return Verdict(TrialStatus.TIMED_OUT, f"Ran longer than the trial timeout of {limit}.")
        case Ending.NOT_STARTED:
            return Verdict(TrialStatus.FAILED, outcome.message)
        case Ending.SIGNAL if outcome.signal != signal.SIGKILL:
            return Verdict(TrialStatus.FAILED, _signalled(outcome))
        case _:
            return _lost(outcome, desired, wish_reason, losses)


def _exited(outcome: Outcome, logged: Logged, metric: str) -> Verdict:
    if outcome.exit_code != 0:
        why = f": {outcome.last_words}" if outcome.last_words else "."
        return Verdict(
            TrialStatus.FAILED, f"The command ended with exit code {outcome.exit_code}{why}"
        )
    if logged.has_finite:
        return Verdict(TrialStatus.COMPLETED)
    if logged.reports:
        times = "once" if logged.reports == 1 else f"{logged.reports} times"
        return Verdict(
            TrialStatus.FAILED,
            f"Primary metric “{metric}” was logged {times}, never as a finite number "
            f"(last: {logged.last}).",
        )
    return Verdict(
        TrialStatus.FAILED, f"Primary metric “{metric}” was never logged; {_seen(logged.names)}."
    )


def _seen(names: tuple[str, ...]) -> str:
    if not names:
        return "the script logged no metric at all"
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"logged: {shown}{more}"


def _stopped(desired: Desired, wish_reason: str) -> Verdict:
    if desired is Desired.TERMINATE_EARLY:
        return Verdict(TrialStatus.EARLY_TERMINATED, wish_reason)
    if desired is Desired.RUN:
        return Verdict(TrialStatus.QUEUED, "Put back in the queue when the studio stopped.")
    return Verdict(TrialStatus.CANCELED, wish_reason)


def _signalled(outcome: Outcome) -> str:
    if outcome.message:
        return outcome.message
    number = outcome.signal or 0
    known = {member.value: member.name for member in signal.Signals}
    return f"The command was killed by signal {number} ({known.get(number, 'unknown')})."


def _lost(outcome: Outcome, desired: Desired, wish_reason: str, losses: int) -> Verdict:
    if desired is not Desired.RUN:
        return _stopped(desired, wish_reason)
    reason = outcome.message or "The machine lost the process."
    if losses < MAX_LOSSES:
        return Verdict(TrialStatus.QUEUED, reason, lost=True, wait_s=BACKOFF_S[losses])
    return Verdict(TrialStatus.LOST, f"Lost {losses + 1} times, the last time: {reason}", lost=True)
