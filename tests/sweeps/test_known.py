"""What is kept of a sweep's trials for its sampler keeps up with the database."""

from typing import Any

import pytest

from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.known import Known
from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries import known as kept
from sweeps.queries.known import known_of
from sweeps.queries.records import space_of, trial_records
from tests.api.acts import end, log, play, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.4, 0.1, None])
    sweep.refresh_from_db()
    return sweep


def as_stored(sweep: Sweep) -> Known:
    return Known.of(space_of(sweep), trial_records(sweep.trials.all()))


def test_it_knows_what_is_stored(played: Sweep) -> None:
    with known_of(played) as known:
        assert known.lessons() == as_stored(played).lessons()
        assert len(known) == played.trials.count() > 3


def test_only_what_changed_is_read(
    played: Sweep, now: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with known_of(played) as first:
        pass
    trial = Trial.objects.filter(sweep=played, status="Queued").first()
    assert trial is not None
    attempt = start(trial.pk, now)
    log(attempt, [0.05], name="loss")
    end(attempt, now)
    learned: list[int] = []
    monkeypatch.setattr(first, "learn", lambda record: learned.append(record.number))
    with django_assert_num_queries(1), known_of(played) as known:
        assert known is first
    assert learned == [trial.number]


def test_what_changed_is_known(played: Sweep, now: Any) -> None:
    with known_of(played) as known:
        before = known.lessons()
    attempt = start(played.trials.filter(status="Queued")[0].pk, now)
    log(attempt, [0.05], name="loss")
    end(attempt, now)
    with known_of(played) as known:
        assert known.lessons() == as_stored(played).lessons() != before


def test_what_was_supposed_and_not_stored_is_gone(played: Sweep) -> None:
    number = played.trials.count()
    with known_of(played) as known, known.supposing():
        known.learn(TrialRecord(number, TrialStatus.QUEUED, {"lr": 0.5}))
        assert len(known) == number + 1
    with known_of(played) as known:
        assert len(known) == number


def test_a_bayesian_sweep_knows_the_trials_that_it_starts_from(played: Sweep) -> None:
    params = played.trials.order_by("number")[0].params
    played.sampling = {"algorithm": "bayesian"}
    played.warm_start = [{"params": params, "value": 0.25}]
    with known_of(played) as known:
        [seen] = [seen for seen in known.lessons() if seen.number < 0]
        assert (seen.number, seen.objective) == (-1, 0.25)


def test_sweeps_that_nobody_asks_for_any_more_are_let_go(
    played: Sweep, make_sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with known_of(played) as first:
        pass
    monkeypatch.setattr(kept, "MOST_TRIALS", 1)
    with known_of(make_sweep(name="other")):
        pass
    with known_of(played) as again:
        assert again is not first
