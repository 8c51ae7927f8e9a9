"""What a page's title, icon and announcer are told of a sweep and a trial."""

from datetime import datetime

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.models import Sweep
from sweeps.services import control, sweeps
from tests.api.acts import end, log, play, start


def standing(client: Client, sweep: Sweep, page: str = "") -> dict:
    answer = client.get(f"/w/default/sweeps/{sweep.name}/{page}live?since=-1&tab=overview")
    return answer.json()["standing"]


def title(client: Client, sweep: Sweep, page: str = "") -> str:
    html = client.get(f"/w/default/sweeps/{sweep.name}/{page}").content.decode()
    return html.split("<title>")[1].split("</title>")[0]


@pytest.fixture
def bobs(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def test_a_running_sweep_tells_how_far_it_is_and_its_newest_best(
    bobs: Client, make_sweep, now: datetime
) -> None:
    sweep = make_sweep(name="churn", limits=Limits(8, 1, 3600))
    assert title(bobs, sweep) == "Queued · churn · Sweep Studio"
    play(sweep, now, [0.4, None, 0.2])
    assert title(bobs, sweep, "trials/") == "37 % · churn · Sweep Studio"
    found = standing(bobs, sweep)
    assert (found["mark"], found["share"], found["failed"]) == ("running", 0.375, 1)
    assert found["best"] == "New best: loss 0.200000, trial 2."
    assert found["said"] == ""


def test_a_paused_sweep_asks_for_somebody(bobs: Client, sweep: Sweep, now: datetime) -> None:
    control.pause_sweep(sweep, actor="alice", now=now)
    found = standing(bobs, sweep)
    assert (found["word"], found["mark"]) == ("Paused", "paused")
    assert found["said"].startswith(f"The sweep {sweep} is paused.")


def test_the_end_is_said_and_the_title_is_plain_again(
    bobs: Client, make_sweep, now: datetime
) -> None:
    sweep = make_sweep(name="churn", limits=Limits(1, 1, 3600))
    play(sweep, now, [0.4])
    assert title(bobs, sweep) == "churn · Sweep Studio"
    found = standing(bobs, sweep)
    assert (found["word"], found["mark"]) == ("Completed", "done")
    assert found["said"].startswith("The sweep churn has ended: Completed.")


def test_a_trial_tells_that_it_runs_and_how_it_ended(
    bobs: Client, sweep: Sweep, now: datetime
) -> None:
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    assert title(bobs, sweep, "trials/0/").startswith("Running · Trial 0 · ")
    assert standing(bobs, sweep, "trials/0/")["mark"] == "running"
    log(attempt, [0.5])
    end(attempt, now)
    assert title(bobs, sweep, "trials/0/").startswith("Trial 0 · ")
    assert standing(bobs, sweep, "trials/0/")["said"].startswith("Trial 0 has ended: Completed.")


def test_what_is_being_canceled_is_not_said_to_be_stopping(
    bobs: Client, sweep: Sweep, now: datetime
) -> None:
    start(sweeps.advance(sweep.pk, now).trials[0], now)
    control.cancel_sweep(sweep, actor="bob", now=now)
    assert title(bobs, sweep).startswith("Canceling · ")
