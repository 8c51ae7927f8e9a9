"""What became of a trial, and the reason it gives."""

import pytest

from sweeps.domain.job import FailurePolicy
from sweeps.domain.states import Desired, TrialStatus
from sweeps.domain.verdict import Ending, Logged, Outcome, Tries, Verdict, backoff_s, judge

NOTHING = Logged(0, False, ())
VALUE = Logged(3, True, ("acc",), "0.5")
T = TrialStatus
NO_TRIES, POLICY = Tries(), FailurePolicy()


def verdict(outcome, logged=VALUE, desired=Desired.RUN, wish="", tries=NO_TRIES, policy=POLICY):
    return judge(
        outcome,
        logged,
        metric="acc",
        desired=desired,
        wish_reason=wish,
        tries=tries,
        policy=policy,
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
    assert verdict(exited(0), logged) == Verdict(T.FAILED, reason, failed=True)


def test_a_long_list_of_logged_names_is_cut():
    names = tuple(f"m{i}" for i in range(11))
    assert verdict(exited(0), Logged(0, False, names)).reason.endswith("m7 and 3 more.")


def test_another_exit_code_fails_with_the_last_words():
    assert verdict(exited(1, "ValueError: bad lr")) == Verdict(
        T.FAILED, "The command ended with exit code 1: ValueError: bad lr", failed=True
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
    assert verdict(outcome) == Verdict(
        T.QUEUED, "The machine lost the process.", lost=True, wait_s=10
    )
    assert verdict(outcome, tries=Tries(1)).wait_s == 20
    final = verdict(outcome, tries=Tries(2))
    assert (final.status, final.lost) == (T.LOST, True)
    assert final.reason == "Lost 3 times, the last time: The machine lost the process."


def test_a_lost_attempt_that_somebody_cancelled_is_canceled():
    lost = Outcome(Ending.LOST)
    assert verdict(lost, desired=Desired.CANCEL, wish="By ann.").status is T.CANCELED


def test_another_signal_is_the_scripts_own_failure():
    got = verdict(Outcome(Ending.SIGNAL, signal=11))
    assert got == Verdict(T.FAILED, "The command was killed by signal 11 (SIGSEGV).", failed=True)


def test_a_command_that_cannot_start_fails_with_the_runners_words():
    got = verdict(Outcome(Ending.NOT_STARTED, message="No such command: pyhton."))
    assert got == Verdict(T.FAILED, "No such command: pyhton.", failed=True)


@pytest.mark.parametrize(
    "outcome", [exited(1, "boom"), exited(0), Outcome(Ending.SIGNAL, signal=11)]
)
@pytest.mark.parametrize(
    ("retries", "failures", "status"), [(0, 0, T.FAILED), (1, 0, T.QUEUED), (1, 1, T.FAILED)]
)
def test_the_scripts_own_failure_is_tried_again_only_if_asked(outcome, retries, failures, status):
    policy, tries = FailurePolicy(retries=retries), Tries(failures=failures)
    got = verdict(outcome, logged=NOTHING, policy=policy, tries=tries)
    assert (got.status, got.failed, got.lost) == (status, True, False)
    assert ("It is tried again (retry 1 of 1)." in got.reason) == (status is T.QUEUED)
    assert got.wait_s == (10 if status is T.QUEUED else 0)


def test_a_command_that_cannot_start_or_was_wished_away_is_not_tried_again():
    policy = FailurePolicy(retries=3)
    assert verdict(Outcome(Ending.NOT_STARTED), policy=policy).status is T.FAILED
    assert verdict(exited(1), desired=Desired.CANCEL, policy=policy).status is T.FAILED


@pytest.mark.parametrize(
    ("retries", "losses", "status"),
    [(0, 0, T.LOST), (1, 0, T.QUEUED), (1, 1, T.LOST), (2, 1, T.QUEUED), (2, 2, T.LOST)],
)
def test_how_often_a_lost_attempt_is_tried_again(retries, losses, status):
    policy = FailurePolicy(infrastructure_retries=retries)
    assert verdict(Outcome(Ending.LOST), policy=policy, tries=Tries(losses)).status is status


def test_waits_double_up_to_five_minutes():
    assert [backoff_s(n) for n in (0, 1, 2, 4, 5, 30)] == [10, 20, 40, 160, 300, 300]
