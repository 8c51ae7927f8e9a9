"""Failed trials: what they have in common, and trying them anew."""

import pytest

from sweeps.domain.job import FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.signature import signature_of
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.queries.failure_groups import groups
from sweeps.services import control, sweeps, trials
from tests.api.acts import end, log, start

SPOOL = "/home/u/var/trials/0123456789abcdef0123456789abcdef/12.1/work/train.py"


def exited(words, code=1):
    return Outcome(Ending.EXIT, exit_code=code, last_words=words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ValueError: lr 0.123 is too high", "ValueError: lr 7e-05 is too high"),
        ("KeyError: 12", "KeyError: 999"),
        ("<Tensor at 0x7f00aa> broke", "<Tensor at 0x7f11bb> broke"),
        (f"{SPOOL}:9: bad", SPOOL.replace("12.1", "7.3") + ":9: bad"),
        ("run 0123456789abcdef0123456789abcdef", "run fedcba9876543210fedcba9876543210"),
    ],
)
def test_what_differs_from_trial_to_trial_is_left_out(one, other):
    assert signature_of(exited(one), "") == signature_of(exited(other), "") != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ValueError: bad", "KeyError: bad"),
        ("model2 has no layer", "model has no layer"),
        ("cannot open a.csv", "cannot open b.csv"),
    ],
)
def test_other_causes_stay_apart(one, other):
    assert signature_of(exited(one), "") != signature_of(exited(other), "")


@pytest.mark.parametrize(
    ("outcome", "reason", "signature"),
    [
        (exited("", 3), "The command ended with exit code 3.", "Exit code 3 without a word"),
        (Outcome(Ending.SIGNAL, signal=11), "Killed by", "Killed by signal 11"),
        (Outcome(Ending.LOST), "The machine lost it", "Lost by the machine"),
        (Outcome(Ending.EXIT, exit_code=0), "Primary metric “a” was never logged", None),
        (Outcome(Ending.TIME_LIMIT), "Ran longer than the trial timeout of 3s.", None),
    ],
)
def test_without_last_words_the_ending_speaks(outcome, reason, signature):
    assert signature_of(outcome, reason) == (signature or reason)


def test_a_signature_fits_its_column():
    assert len(signature_of(exited("x" * 900), "")) == 300


@pytest.fixture
def failed(make_sweep, now):
    """Six trials: three of one failure, one of another, one lost for good, one completed."""
    policy = FailurePolicy(0, 0, 0)
    sweep = make_sweep(limits=Limits(6, 6, 3600), failure_policy=policy)
    sweep.compute.slots = 6
    sweep.compute.save()
    endings = [exited("E: lr 1"), exited("E: lr 2"), exited("boom"), exited("E: lr 3")]
    attempts = [start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials]
    for attempt, outcome in zip(attempts, [*endings, Outcome(Ending.LOST)], strict=False):
        end(attempt, now, outcome)
    log(attempts[5], [0.5])
    end(attempts[5], now)
    assert sweeps.advance(sweep.pk, now).finished
    sweep.refresh_from_db()
    return sweep


pytestmark = pytest.mark.django_db


def test_failures_are_grouped_the_largest_group_first(failed):
    found = [(g.signature, g.count, g.numbers) for g in groups(failed)]
    assert found[0] == ("E: lr #", 3, [0, 1, 3])
    assert sorted(found[1:]) == [("Lost by the machine", 1, [4]), ("boom", 1, [2])]
    assert groups(failed)[0].example.number == 3


def test_all_failed_trials_are_queued_anew_and_the_sweep_comes_back_for_them(failed, now):
    ids = trials.rerun_failed(failed, actor="ann", now=now)
    numbers = failed.trials.filter(pk__in=ids).values_list("number", flat=True)
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    failed.refresh_from_db()
    assert failed.status == SweepStatus.RUNNING
    assert groups(failed) == []
    assert trials.rerun_failed(failed, actor="ann", now=now) == []


def test_one_group_is_queued_anew_by_its_signature(failed, now):
    assert len(trials.rerun_failed(failed, actor="ann", now=now, signature="E: lr #")) == 3
    assert [g.signature for g in groups(failed)] != []
    left = failed.trials.filter(status=TrialStatus.FAILED)
    assert [trial.number for trial in left] == [2]


def test_nothing_is_queued_anew_in_a_sweep_that_is_being_ended(failed, now):
    trials.rerun_failed(failed, actor="ann", now=now, signature="boom")
    start(failed.trials.get(number=2).pk, now)
    control.cancel_sweep(failed, actor="ann", now=now)
    with pytest.raises(InvalidInput, match="being ended"):
        trials.rerun_failed(failed, actor="ann", now=now)
