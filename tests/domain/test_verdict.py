"""What became of a trial, and the reason it gives."""

import pytest

from sweeps.domain.states import Desired, TrialStatus
from sweeps.domain.verdict import Ending, Logged, Outcome, Verdict, judge

NOTHING = Logged(0, False, ())
VALUE = Logged(3, True, ("acc",), "0.5")
T = TrialStatus


def verdict(outcome, logged=VALUE, desired=Desired.RUN, wish="", losses=0):
    return judge(
        outcome,
        logged,
        metric="acc",
        desired=desired,
        wish_reason=wish,
        losses=losses,
        trial_timeout_s=90,
    )


def exited(code, words=""):
    return Outcome(Ending.EXIT, exit_code=code, last_words=words)


def test_exit_0_with_a_finite_value_is_completed():
    assert verdict(exited(0)) == Verdict(T.COMPLETED)


@pytest.mark.parametrize(
    ("logged", "reason"),
    [
        (NOTHING, "Primary metric “acc” was never logged; the script logged no metric at all."),
        (
            Logged(0, False, ("loss", "val_acc")),
            "Primary metric “acc” was never logged; logged: loss, val_acc.",
        ),
        (
            Logged(2, False, ("acc",), "NaN"),
            "Primary metric “acc” was logged 2 times, never as a finite number (last: NaN).",
        ),
        (
            Logged(1, False, ("acc",), "Infinity"),
            "Primary metric “acc” was logged once, never as a finite number (last: Infinity).",
        ),
    ],
)
def test_exit_0_without_a_finite_value_fails_and_names_what_was_logged(logged, reason):
    assert verdict(exited(0), logged) == Verdict(T.FAILED, reason)


def test_a_long_list_of_logged_names_is_cut():
    names = tuple(f"m{i}" for i in range(11))
    assert verdict(exited(0), Logged(0, False, names)).reason.endswith("m7 and 3 more.")


def test_another_exit_code_fails_with_the_last_words():
    assert verdict(exited(1, "ValueError: bad lr")) == Verdict(
        T.FAILED, "The command ended with exit code 1: ValueError: bad lr"
    )
    assert verdict(exited(3)).reason == "The command ended with exit code 3."


def test_the_time_limit_says_which():
    assert verdict(Outcome(Ending.TIME_LIMIT)) == Verdict(
        T.TIMED_OUT, "Ran longer than the trial timeout of 1m 30s."
    )


def test_a_stopped_trial_ends_as_it_was_wished():
    stopped = Outcome(Ending.STOPPED)
    assert verdict(stopped, desired=Desired.CANCEL, wish="By ann.") == Verdict(
        T.CANCELED, "By ann."
    )
    early = verdict(stopped, desired=Desired.TERMINATE_EARLY, wish="bandit")
    assert early == Verdict(T.EARLY_TERMINATED, "bandit")
    assert verdict(stopped).status is T.QUEUED


@pytest.mark.parametrize("outcome", [Outcome(Ending.LOST), Outcome(Ending.SIGNAL, signal=9)])
def test_a_lost_attempt_is_tried_twice_more_and_then_lost(outcome):
    assert verdict(outcome, losses=0) == Verdict(
        T.QUEUED, "The machine lost the process.", lost=True, wait_s=10
    )
    assert verdict(outcome, losses=1).wait_s == 20
    final = verdict(outcome, losses=2)
    assert (final.status, final.lost) == (T.LOST, True)
    assert final.reason == "Lost 3 times, the last time: The machine lost the process."


def test_a_lost_attempt_that_somebody_cancelled_is_canceled():
    lost = Outcome(Ending.LOST)
    assert verdict(lost, desired=Desired.CANCEL, wish="By ann.").status is T.CANCELED


def test_another_signal_is_the_scripts_own_failure():
    got = verdict(Outcome(Ending.SIGNAL, signal=11))
    assert got == Verdict(T.FAILED, "The command was killed by signal 11 (SIGSEGV).")


def test_a_command_that_cannot_start_fails_with_the_runners_words():
    got = verdict(Outcome(Ending.NOT_STARTED, message="No such command: pyhton."))
    assert got == Verdict(T.FAILED, "No such command: pyhton.")
