"""What became of a trial: its status, and a reason that a person can act on."""

import signal
from dataclasses import dataclass
from enum import StrEnum

from sweeps.domain.durations import format_duration
from sweeps.domain.job import FailurePolicy
from sweeps.domain.started import UNKNOWN, How
from sweeps.domain.states import Desired, TrialStatus

# Seconds before the first further try; each later one waits twice as long, up to the second.
BACKOFF_S, LONGEST_BACKOFF_S = 10, 300
_NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Tries:
    """Earlier attempts of a trial that the machine lost, and that its script failed."""

    losses: int = 0
    failures: int = 0


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
    """The end of one attempt. `message` is the runner's sentence, `last_words` the log's end, `how`
    it was started what the runner knows of that in the end."""

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    last_words: str = ""
    how: How = UNKNOWN


@dataclass(frozen=True, slots=True)
class Logged:
    """What the attempt logged: reports of the primary metric, and every metric's name."""

    reports: int
    has_finite: bool
    names: tuple[str, ...]
    last: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The trial's new status and why; Queued with `wait_s` means that it is tried again.

    `lost` and `failed` say whose fault the attempt's end counts as: the machine's, the script's.
    """

    status: TrialStatus
    reason: str = ""
    lost: bool = False
    wait_s: int = 0
    failed: bool = False


def judge(
    outcome: Outcome,
    logged: Logged,
    *,
    metric: str,
    desired: Desired,
    wish_reason: str,
    tries: Tries,
    policy: FailurePolicy,
    trial_timeout_s: int | None,
) -> Verdict:
    """The verdict on an ended attempt.

    `tries` counts earlier attempts, of which `policy` says how many may be tried again;
    `wish_reason` says who wanted the trial stopped and why.
    """
    match outcome.ending:
        case Ending.EXIT:
            return _again(_exited(outcome, logged, metric), desired, tries, policy)
        case Ending.STOPPED:
            return _stopped(desired, wish_reason)
        case Ending.TIME_LIMIT:
            limit = format_duration(trial_timeout_s or 0)
            return Verdict(TrialStatus.TIMED_OUT, f"Ran longer than the trial timeout of {limit}.")
        case Ending.NOT_STARTED:
            return Verdict(TrialStatus.FAILED, outcome.message, failed=True)
        case Ending.SIGNAL if outcome.signal != signal.SIGKILL:
            verdict = Verdict(TrialStatus.FAILED, _signalled(outcome), failed=True)
            return _again(verdict, desired, tries, policy)
        case _:
            return _lost(outcome, desired, wish_reason, tries, policy)


def backoff_s(earlier: int) -> int:
    """Seconds to wait before the next try, after so many earlier ones."""
    return min(BACKOFF_S * 2**earlier, LONGEST_BACKOFF_S)


def _again(verdict: Verdict, desired: Desired, tries: Tries, policy: FailurePolicy) -> Verdict:
    """Another try for a failure of the script's own, where the sweep asks for it."""
    if not verdict.failed or desired is not Desired.RUN or tries.failures >= policy.retries:
        return verdict
    count = f"(retry {tries.failures + 1} of {policy.retries})"
    reason = f"{verdict.reason} It is tried again {count}."
    wait_s = backoff_s(tries.failures)
    return Verdict(TrialStatus.QUEUED, reason, wait_s=wait_s, failed=True)


def _failed(reason: str) -> Verdict:
    return Verdict(TrialStatus.FAILED, reason, failed=True)


def _exited(outcome: Outcome, logged: Logged, metric: str) -> Verdict:
    if outcome.exit_code != 0:
        why = f": {outcome.last_words}" if outcome.last_words else "."
        return _failed(f"The command ended with exit code {outcome.exit_code}{why}")
    if logged.has_finite:
        return Verdict(TrialStatus.COMPLETED)
    if logged.reports:
        times = "once" if logged.reports == 1 else f"{logged.reports} times"
        return _failed(
            f"Primary metric “{metric}” was logged {times}, never as a finite number "
            f"(last: {logged.last})."
        )
    return _failed(f"Primary metric “{metric}” was never logged; {_seen(logged.names)}.")


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


def _lost(
    outcome: Outcome, desired: Desired, wish_reason: str, tries: Tries, policy: FailurePolicy
) -> Verdict:
    if desired is not Desired.RUN:
        return _stopped(desired, wish_reason)
    reason = outcome.message or "The machine lost the process."
    if tries.losses < policy.infrastructure_retries:
        wait_s = backoff_s(tries.losses)
        return Verdict(TrialStatus.QUEUED, reason, lost=True, wait_s=wait_s)
    times = "Lost" if not tries.losses else f"Lost {tries.losses + 1} times, the last time"
    return Verdict(TrialStatus.LOST, f"{times}: {reason}", lost=True)
