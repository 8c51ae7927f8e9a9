"""In an archived workspace what runs goes on, and nothing new begins."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studio.models import Compute, Workspace
from sweeps.domain.environments import Recipe
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import PausedBy
from sweeps.models import EnvironmentBuild, Sweep, Trial
from sweeps.services import bulk, computes, control, edits, environments, picks, sweeps, trials
from tests.api.acts import end, log, play, start

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": "ann"}


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Two ended trials, of which the second failed, and one that is queued."""
    sweep: Sweep = make_sweep()
    play(sweep, now, [0.4, None])
    sweep.refresh_from_db()
    return sweep


def archive(now: Any) -> None:
    Workspace.objects.update(archived_at=now)


def build(now: Any) -> EnvironmentBuild:
    recipe = Recipe("/usr/bin/python3", ("lightgbm",))
    return environments.build_of(recipe, now)


BEGINS: dict[str, Callable[[Sweep, Any], object]] = {
    "rerun": lambda s, now: trials.rerun_trial(s.trials.get(number=1), **BY, now=now),
    "rerun failed": lambda s, now: trials.rerun_failed(s, **BY, now=now),
    "rerun some": lambda s, now: bulk.rerun_trials(s, [1], **BY, now=now),
    "pick": lambda s, now: picks.add_trial(s, {"lr": 0.2, "boosting": "gbdt"}, **BY, now=now),
    "test": lambda s, now: computes.start_test(s.compute, now),
    "build": lambda s, now: environments.ask_for(build(now).digest, s.workspace),
}


@pytest.mark.parametrize("what", BEGINS)
def test_nothing_new_begins(played: Sweep, now: Any, what: str) -> None:
    before = list(Trial.objects.order_by("pk").values("status", "attempt", "revision"))
    archive(now)
    with pytest.raises(InvalidInput, match="The workspace is archived") as refused:
        BEGINS[what](played, now)
    assert refused.value.problems[0].code == "conflict"
    assert list(Trial.objects.order_by("pk").values("status", "attempt", "revision")) == before
    assert not EnvironmentBuild.objects.filter(is_asked_for=True).exists()
    assert not Compute.objects.exclude(last_test=None).exclude(last_test={}).exists()


def test_an_ended_sweep_is_not_extended(played: Sweep, now: Any) -> None:
    control.cancel_sweep(played, **BY, now=now)
    sweeps.advance(played.pk, now)
    played.refresh_from_db()
    archive(now)
    with pytest.raises(InvalidInput, match="The workspace is archived"):
        edits.edit_sweep(played, {"max_total_trials": 900}, **BY, now=now)
    played.refresh_from_db()
    assert played.max_total_trials != 900
    assert edits.edit_sweep(played, {"description": "kept"}, **BY, now=now)


def test_what_a_person_paused_is_not_resumed_and_what_the_disk_paused_is(
    played: Sweep, now: Any
) -> None:
    control.pause_sweep(played, **BY, now=now, by=PausedBy.DISK, reason="full")
    archive(now)
    assert control.resume_sweep(played, **BY, now=now)
    control.pause_sweep(played, **BY, now=now)
    with pytest.raises(InvalidInput, match="The workspace is archived"):
        control.resume_sweep(played, **BY, now=now)


def test_what_runs_goes_on(played: Sweep, now: Any) -> None:
    archive(now)
    trial = played.trials.filter(status="Queued").order_by("number")[0]
    attempt = start(trial.pk, now)
    log(attempt, [0.2])
    end(attempt, now)
    assert played.trials.get(pk=trial.pk).status == "Completed"
    assert control.cancel_sweep(played, **BY, now=now)


def test_who_tests_a_compute_on_its_page_is_told(client: Client, alice: Any, compute: Any) -> None:
    archive(compute.created_at)
    client.force_login(alice)
    address = f"/w/{compute.workspace.name}/computes/{compute.name}"
    answer = client.post(f"{address}/test", follow=True)
    assert "The workspace is archived" in answer.content.decode()
    fragment = client.post(f"{address}/test", headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == f"{address}/"
