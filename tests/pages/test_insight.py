"""Charts that need more than their sweep: worked out by the queue, or drawn beside other sweeps."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from studio.models import Role, User, Workspace
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import SweepStatus
from sweeps.engine.analyses import analyse
from sweeps.models import Analysis, Attempt, Sweep, Trial
from sweeps.queries import boards
from sweeps.queries.analyses import PACE, importance_of, is_due, latest
from sweeps.queries.clock import database_now
from sweeps.services import analyses
from sweeps.services.state import bump
from tests.conftest import NOW, person

pytestmark = pytest.mark.django_db


def trials_of(sweep: Sweep, count: int, **changes: Any) -> None:
    """Completed trials whose objective is their learning rate."""
    rng = random.Random(1)
    rows = []
    for number in range(count):
        lr, kind = rng.uniform(0.1, 0.9), rng.randrange(2)
        params = {"lr": lr, "boosting": ("gbdt", "dart")[kind]}
        at = NOW + timedelta(seconds=10 * number)
        values = {"status": "Completed", "objective": lr, "reports": 3, "attempt": 1} | changes
        rows.append(
            Trial(sweep=sweep, number=number, params=params, flat_params=params,
                  draw={"lr": lr, "boosting": kind}, created_at=at, started_at=at,
                  ended_at=at + timedelta(seconds=15), **values)
        )  # fmt: skip
    Trial.objects.bulk_create(rows)
    Attempt.objects.bulk_create(
        Attempt(trial=row, number=1, spool="", token_digest=f"{sweep.pk}.{row.number}",
                created_at=row.created_at, started_at=row.started_at, ended_at=row.ended_at)
        for row in rows
    )  # fmt: skip
    Sweep.objects.filter(pk=sweep.pk).update(
        status=SweepStatus.COMPLETED, started_at=NOW, ended_at=NOW + timedelta(hours=1), revision=7
    )
    sweep.refresh_from_db()
    boards.forget()


def chart(client: Client, sweep: Sweep, kind: str, query: str = "") -> Any:
    response = client.get(f"/w/default/sweeps/{sweep.name}/charts/{kind}.json{query}")
    assert response.status_code == 200
    return json.loads(response.content)


# --- Importance ---------------------------------------------------------------------------------


def test_whoever_looks_first_wakes_the_queue_once_and_gets_the_answer_when_it_is_there(
    client: Client, rita: User, sweep: Sweep, wake_ups: Callable[[], list[tuple[str, int]]]
) -> None:
    trials_of(sweep, 40)
    client.force_login(rita)
    shown = chart(client, sweep, "importance")
    assert (shown["empty"], shown["again_ms"]) == ("Working it out…", 1500)
    assert chart(client, sweep, "importance")["again_ms"]
    assert wake_ups() == [("analyse", sweep.pk)]
    analyse(sweep.pk)
    shown = chart(client, sweep, "importance")
    assert (shown["empty"], shown["again_ms"]) == (None, 0)
    assert "lr" in shown["summary"]
    assert next(iter(importance_of(sweep) or {})) == "lr"
    assert len(wake_ups()) == 1


def test_hover_cards_name_the_weightiest_parameters_first(
    client: Client, rita: User, sweep: Sweep
) -> None:
    trials_of(sweep, 25)
    client.force_login(rita)
    address = f"/w/default/sweeps/{sweep.name}/cards.json?t=3"
    names = [name for name, _ in client.get(address).json()["3"]["rows"]]
    assert names == ["loss", "lr", "boosting"]
    row = {"low": 0, "high": 1, "chance": 0}
    weights = [{"name": "boosting", "share": 0.9} | row, {"name": "lr", "share": 0.1} | row]
    document = {"used": 25, "trials": 25, "quantile": 0.2, "resamples": 20, "weights": weights}
    Analysis.objects.create(sweep=sweep, kind="importance", revision=7, document=document)
    names = [name for name, _ in client.get(address).json()["3"]["rows"]]
    assert names == ["loss", "boosting", "lr"]


def test_too_few_trials_wake_nobody(
    client: Client, rita: User, sweep: Sweep, wake_ups: Callable[[], list[tuple[str, int]]]
) -> None:
    trials_of(sweep, 19)
    client.force_login(rita)
    shown = chart(client, sweep, "importance")
    assert "19 trials have one" in shown["empty"]
    assert not wake_ups()
    assert importance_of(sweep) is None
    analyse(sweep.pk)
    assert importance_of(sweep) is None


def test_an_answer_is_renewed_at_its_pace_and_once_more_at_the_end(sweep: Sweep) -> None:
    trials_of(sweep, 20)
    now = database_now()
    running = Sweep(status=SweepStatus.RUNNING, revision=9)
    ended = Sweep(status=SweepStatus.COMPLETED, revision=9, ended_at=now - timedelta(seconds=1))
    old = Analysis(revision=8, at=now - PACE)
    young = Analysis(revision=8, at=now - PACE / 2)
    same = Analysis(revision=9, at=now - PACE)
    after = Analysis(revision=8, at=now)
    assert is_due(running, None, now)
    assert is_due(running, old, now)
    assert not is_due(running, young, now)
    assert not is_due(running, same, now)
    assert is_due(ended, young, now), "it has ended since"
    assert not is_due(ended, after, now)


def test_a_lost_wake_up_is_repeated_and_an_older_answer_never_replaces_a_newer_one(
    sweep: Sweep,
) -> None:
    now = database_now()
    assert analyses.ask(sweep, "importance", now)
    assert not analyses.ask(sweep, "importance", now + timedelta(seconds=5))
    assert analyses.ask(sweep, "importance", now + 2 * analyses.LOST)
    analyses.keep(sweep.pk, "importance", 5, {"n": 5}, now + 3 * analyses.LOST)
    analyses.keep(sweep.pk, "importance", 4, {"n": 4}, now + 3 * analyses.LOST)
    found = latest(sweep, "importance")
    assert found is not None
    assert found.document == {"n": 5}
    assert analyses.ask(sweep, "importance", now + 4 * analyses.LOST)
    analyse(-1)  # gone meanwhile: nothing to do


# --- Other sweeps -------------------------------------------------------------------------------


def test_sweeps_of_the_workspace_with_this_objective_can_stand_beside_it(
    client: Client, rita: User, another_sweep: Callable[..., Sweep]
) -> None:
    own, like, other = (
        another_sweep(),
        another_sweep(display_name="<b>&like"),
        another_sweep(objective=Objective("loss", Goal.MAXIMIZE)),
    )
    for sweep in (own, like, other):
        trials_of(sweep, 30)
    client.force_login(rita)
    page = client.get(f"/w/default/sweeps/{own.name}/charts/?with={like.name}").content.decode()
    assert f'name="with" value="{like.name}" checked' in page
    assert "&lt;b&gt;&amp;like" in page
    assert other.name not in page
    query = f"?with={like.name}&with={other.name}&with=nobody"
    shown = chart(client, own, "edf", query)
    assert [len(shown["data"]), shown["note"].split(",")[0]] == [2, "2 sweeps"]
    # News of the other sweep are seen though this one has none.
    Trial.objects.filter(sweep=like, number__gte=10).delete()
    bump(like.pk)
    assert chart(client, own, "edf", query)["legend"][1]["text"].endswith("(10)")


def test_sweeps_of_other_workspaces_are_never_drawn(
    client: Client, rita: User, another_sweep: Callable[..., Sweep]
) -> None:
    own, foreign = another_sweep(), another_sweep()
    trials_of(own, 30)
    trials_of(foreign, 30)
    elsewhere = Workspace.objects.create(name="secret", created_at=NOW)
    person("eve", elsewhere, Role.OWNER)
    Sweep.objects.filter(pk=foreign.pk).update(workspace=elsewhere)
    client.force_login(rita)
    assert len(chart(client, own, "edf", f"?with={foreign.name}")["data"]) == 1
    page = client.get(f"/w/default/sweeps/{own.name}/charts/").content.decode()
    assert foreign.name not in page
    assert "No other sweep of this workspace has loss as its objective." in page


# --- Time ---------------------------------------------------------------------------------------


def test_a_timeline_has_a_bar_for_every_attempt(client: Client, rita: User, sweep: Sweep) -> None:
    trials_of(sweep, 6)
    Trial.objects.filter(sweep=sweep, number=2).update(attempt=2)
    Attempt.objects.create(trial=sweep.trials.get(number=2), number=2, spool="", token_digest="x",
                           started_at=NOW + timedelta(seconds=60),
                           ended_at=NOW + timedelta(seconds=80))  # fmt: skip
    client.force_login(rita)
    response = client.get(f"/w/default/sweeps/{sweep.name}/charts/timeline.csv")
    lines = response.content.decode().splitlines()
    assert lines[0] == "Trial,Attempt,Status,Slot,Began after (s),Took (s),Waited for it (s)"
    assert lines[3] == "2,1,Lost,1,20.0,15.0,0.0"
    assert lines[-1].startswith("2,2,Completed,")


def test_savings_are_drawn_where_there_is_a_policy_and_told_on_the_strip(
    client: Client, rita: User, sweep: Sweep
) -> None:
    trials_of(sweep, 10)
    client.force_login(rita)
    page = f"/w/default/sweeps/{sweep.name}/"
    assert "Early-termination savings" not in client.get(f"{page}charts/").content.decode()
    assert "early termination saved" not in client.get(page).content.decode()
    early = {"type": "median_stopping", "options": {}}
    Sweep.objects.filter(pk=sweep.pk).update(early_termination=early)
    stopped = Trial.objects.filter(sweep=sweep, number__lt=4)
    stopped.update(status="EarlyTerminated", ended_at=NOW + timedelta(seconds=40))
    Trial.objects.filter(sweep=sweep, number=0).update(ended_at=NOW + timedelta(seconds=5))
    boards.forget()
    bump(sweep.pk)
    assert "Early-termination savings" in client.get(f"{page}charts/").content.decode()
    shown = chart(client, sweep, "savings")
    assert shown["note"].startswith("about 15 s saved")
    assert "early termination saved 15 s" in client.get(page).content.decode()
