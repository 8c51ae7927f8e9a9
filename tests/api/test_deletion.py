"""Deleting ended sweeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.models import Role, User
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus
from sweeps.models import Attempt, MetricPoint, Sweep, Trial
from sweeps.services import deletion, edits, picks, trials
from tests.api.acts import play
from tests.api.conftest import Caller


@pytest.fixture
def api(alice: User, token_for: Any) -> Caller:
    """Alice's program: deleting takes an owner."""
    return Caller(token_for(alice, Role.OWNER))


def path_of(sweep: Sweep) -> str:
    return f"/workspaces/default/sweeps/{sweep.name}"


def test_an_ended_sweep_goes_with_all_it_had_and_leaves_its_name(
    api: Caller, make_sweep: Any, now: Any, settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    settings.STUDIO_HOME = tmp_path
    monkeypatch.setattr(deletion, "BATCH", 3)
    monkeypatch.setattr(deletion, "_TRIALS", 3)
    other, sweep = make_sweep(name="other"), make_sweep(name="gone")
    play(other, now, [0.5])
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    folder = tmp_path / "trials" / sweep.uid / "0.1"
    folder.mkdir(parents=True)
    assert sweep.status == "Completed"
    points = MetricPoint.objects.filter(attempt__trial__sweep=other).count()
    response = api.send("DELETE", path_of(sweep))
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(path_of(sweep)).status_code == 404
    assert api.send("DELETE", path_of(sweep)).status_code == 404
    assert list(Sweep.objects.all()) == [other]
    assert not Trial.objects.exclude(sweep=other).exists()
    assert MetricPoint.objects.count() == points > 0
    assert Attempt.objects.count() == 1
    assert not folder.exists()
    assert make_sweep(name="gone").pk


def test_a_living_sweep_and_one_whose_runs_are_open_stay(
    api: Caller, sweep: Sweep, now: Any
) -> None:
    for changes, words in (
        ({}, "Cancel it first"),
        ({"status": "Completed", "run_id": "r"}, "soon"),
    ):
        Sweep.objects.update(**changes)
        response = api.send("DELETE", path_of(sweep))
        assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
        assert words in response.json()["error"]["message"]
    assert api.get(path_of(sweep)).status_code == 200


def test_what_an_interrupted_deletion_left_is_hidden_and_goes_with_the_next(
    api: Caller, make_sweep: Any, now: Any, client: Any, alice: Any
) -> None:
    half, sweep = make_sweep(name="half"), make_sweep(name="whole")
    Sweep.objects.update(status="Canceled")
    Sweep.objects.filter(pk=half.pk).update(deleted_at=now)
    client.force_login(alice)
    assert api.get(path_of(half)).status_code == 404
    assert client.get("/w/default/sweeps/half/").status_code == 404
    items = api.get("/workspaces/default/sweeps").json()["items"]
    assert [item["name"] for item in items] == ["whole"]
    assert api.send("DELETE", path_of(sweep)).status_code == 204
    assert not Sweep.objects.exists()


@pytest.mark.parametrize("status", ["Completed", "Failed", "Canceled"])
def test_every_end_will_do(api: Caller, sweep: Sweep, status: str) -> None:
    Sweep.objects.update(status=status)
    assert api.send("DELETE", path_of(sweep)).status_code == 204


def test_a_contributor_deletes_no_sweep(bob: User, token_for: Any, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, 0.3, 0.2, 0.1])
    caller = Caller(token_for(bob, Role.OWNER))
    assert caller.send("DELETE", path_of(sweep)).status_code == 404
    assert Sweep.objects.filter(pk=sweep.pk, deleted_at=None).exists()


@pytest.mark.parametrize("what", ["rerun", "rerun failed", "pick", "extend"])
def test_nobody_who_came_a_moment_before_brings_it_back(
    make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """They have looked at it, and take its row when it is deleted: it would run unseen."""
    sweep = make_sweep(limits=Limits(2, 1))
    play(sweep, now, [0.4, None])
    Sweep.objects.filter(pk=sweep.pk).update(run_closed=True, run_id="r")
    sweep.refresh_from_db()
    failed = sweep.trials.get(number=1)
    monkeypatch.setattr(deletion, "purge", lambda: None)
    deletion.delete_sweep(Sweep.objects.get(pk=sweep.pk), now)
    by: dict[str, Any] = {"actor": "ann", "now": now}
    acts: dict[str, Callable[[], object]] = {
        "rerun": lambda: trials.rerun_trial(failed, **by),
        "rerun failed": lambda: trials.rerun_failed(sweep, **by),
        "pick": lambda: picks.add_trial(sweep, {"lr": 0.2, "boosting": "gbdt"}, **by),
        "extend": lambda: edits.edit_sweep(sweep, {"max_total_trials": 9}, **by),
    }
    with pytest.raises(InvalidInput, match="The sweep has been deleted"):
        acts[what]()
    assert not Trial.objects.live().exists()
    assert SweepStatus(Sweep.objects.get(pk=sweep.pk).status).is_final
