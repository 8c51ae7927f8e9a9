"""A sweep waits for its environment: built once for all, again if killed, or told why not."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studio.models import Compute, Workspace
from sweeps import tasks
from sweeps.domain.environments import Chosen, Recipe
from sweeps.domain.problems import InvalidInput
from sweeps.engine import builds
from sweeps.engine.launch import spec_of
from sweeps.environments import places
from sweeps.models import BuildRequest, Environment, EnvironmentBuild, Sweep
from sweeps.queries.conditions import DISK
from sweeps.queries.environments import environments_root
from sweeps.queries.waiting import why_sweep
from sweeps.runners.base import EndedBy, Result
from sweeps.services import conditions, control
from sweeps.services.environments import (
    MOST_LOSSES,
    ask_for,
    build_of,
    delete_environment,
    lose_build,
    save_environment,
    withdraw,
)
from sweeps.services.sweeps import create_sweep
from tests.conftest import job
from tests.engine.conftest import Stage

RECIPE = Recipe("/usr/bin/python3", ("six",))


@pytest.fixture
def make(
    workspace: Workspace, compute: Compute, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Sweep]:
    """Makes sweeps that need the environment, and lets them look for it."""
    monkeypatch.setattr(builds, "get_runner", lambda kind: stage.runner)

    def make(name: str = "one", recipe: Recipe = RECIPE) -> Sweep:
        sweep = create_sweep(
            workspace, job(name=name), compute=compute, code=None, user=None, now=stage.now,
            rng=Random(1), chosen=Chosen("mine", recipe=recipe),
        )  # fmt: skip
        tasks.advance_sweep.call_local(sweep.pk)
        return sweep

    return make


def the_build() -> EnvironmentBuild:
    return EnvironmentBuild.objects.get()


def name(number: int = 1) -> str:
    return f"environment.{RECIPE.digest[:12]}.{number}"


def end(stage: Stage, number: int = 1, by: EndedBy = EndedBy.EXIT, **more: Any) -> None:
    """Let the command of the build end so."""
    at = stage.now.timestamp()
    code = more.get("code", 0 if by is EndedBy.EXIT else None)
    stage.runner.finish(
        name(number), Result(by, code, None, at, at + 1, 1, more.get("message", ""))
    )


def be_whole() -> None:
    """What the program leaves that builds."""
    root = environments_root()
    python = places.python_of(root, RECIPE.digest)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    said = {"python": "3.11.7", "packages": ["six==1.17.0"], "notes": ["It is old."]}
    (root / RECIPE.digest / "built.json").write_text(json.dumps(said))


def write_log(text: str, number: int = 1) -> None:
    (places.spool_of(environments_root(), RECIPE.digest, number) / "stdout.log").write_text(text)


def test_nothing_starts_before_it_is_built_and_then_all_run_in_it(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep, other = make(), make("two")
    assert not sweep.trials.exists()
    assert stage.tracking.runs == {}
    assert builds.look(stage.now)
    assert builds.look(stage.now)
    assert stage.runner.started == [name()]  # once for both, and once for two looks
    write_log("Python 3.11.7\nResolved 40 packages\n")
    assert why_sweep(sweep, stage.now) in (
        "Building its environment: Resolved 40 packages",
        "The engine process is not running; running trials go on, but nothing is taken up or "
        "started until it is back.",
    )
    be_whole()
    end(stage)
    assert not builds.look(stage.now)
    stage.work_off()
    for one in (sweep, other):
        one.refresh_from_db()
        assert one.notes[-1] == "It is old."
        [first, *_] = stage.attempts(one)
        python = places.python_of(environments_root(), RECIPE.digest)
        assert first.argv[0] == str(python)
        around = spec_of(first, "token").env
        assert around["VIRTUAL_ENV"] == str(python.parent.parent)
        assert around["PIP_REQUIRE_VIRTUALENV"] == "1"  # no other pip on the PATH installs
        first.trial.sweep.compute.isolated = True
        with pytest.raises(InvalidInput, match="before its compute was isolated"):
            spec_of(first, "token")
    build = the_build()
    assert (build.state, build.python, build.packages) == ("done", "3.11.7", ["six==1.17.0"])

    third = make("three")  # finds it built
    stage.work_off()
    third.refresh_from_db()
    assert third.run_id
    assert third.notes[-1] == "It is old."
    assert stage.runner.started.count(name()) == 1


def test_one_that_cannot_be_built_fails_its_sweeps_and_costs_no_attempt(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    builds.look(stage.now)
    write_log("$ uv pip install\nerror: No solution found\n  cause: no six\n")
    end(stage, code=1)
    builds.look(stage.now)
    sweep.refresh_from_db()
    assert sweep.status == "Failed"
    assert sweep.reason == (
        "Its environment could not be built: No solution found. no six. The build's log is under "
        "Logs."
    )
    assert not sweep.trials.exists()
    assert builds.look(stage.now) is False

    again = make("again")  # somebody tries anew
    assert builds.look(stage.now)
    assert stage.runner.started == [name(), name(2)]
    be_whole()
    end(stage, 2)
    builds.look(stage.now)
    stage.work_off()
    again.refresh_from_db()
    assert again.run_id
    sweep.refresh_from_db()
    assert sweep.status == "Failed"


@pytest.mark.parametrize("how", ["signal", "lost"])
def test_one_that_was_killed_is_built_again_and_not_for_ever(
    stage: Stage, make: Callable[..., Sweep], how: str
) -> None:
    sweep = make()
    for number in range(1, MOST_LOSSES + 1):
        sweep.refresh_from_db()
        assert sweep.status == "Queued"
        builds.look(stage.now)
        assert stage.runner.started[-1] == name(number)
        if how == "lost":
            stage.runner.lose(name(number), "gone")
        else:
            end(stage, number, EndedBy.SIGNAL, message="Killed by signal 9.")
        builds.look(stage.now)
    sweep.refresh_from_db()
    assert sweep.status == "Failed"
    assert f"{MOST_LOSSES} times in a row" in sweep.reason


def test_nobody_wants_it_any_more(stage: Stage, make: Callable[..., Sweep]) -> None:
    sweep = make()
    builds.look(stage.now)
    control.cancel_sweep(sweep, actor="t", now=stage.now)
    tasks.advance_sweep.call_local(sweep.pk)
    builds.look(stage.now)
    assert name() in stage.runner.stopped
    assert not builds.look(stage.now)
    assert the_build().state == EnvironmentBuild.WAITING
    assert not builds.look(stage.now)
    ask_for(RECIPE.digest)  # by hand
    assert builds.look(stage.now)


def test_kills_that_others_saw_do_not_count_for_who_comes_after_them(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    for number in range(1, MOST_LOSSES):
        builds.look(stage.now)
        stage.runner.lose(name(number), "gone")
        builds.look(stage.now)
    control.cancel_sweep(sweep, actor="t", now=stage.now)
    builds.look(stage.now)
    builds.look(stage.now)
    after = make("after")
    builds.look(stage.now)
    stage.runner.lose(stage.runner.started[-1], "gone")
    builds.look(stage.now)
    after.refresh_from_db()
    assert after.status == "Queued"


@pytest.mark.parametrize("code", [0, 1])
def test_what_reaches_packages_is_not_kept_longer_than_the_build(
    stage: Stage, make: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(stage.runner, "cleanup", cleaned.append)
    make()
    builds.look(stage.now)
    handle = the_build().handle
    builds.look(stage.now)
    assert cleaned == []
    be_whole()
    end(stage, code=code)
    builds.look(stage.now)
    assert cleaned == [handle]


def test_a_studio_that_stops_begins_it_anew_when_it_comes_back(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    make()
    builds.look(stage.now)
    assert not builds.halt()
    assert builds.halt()
    builds.look(stage.now)
    assert stage.runner.started == [name(), name(2)]


def test_what_was_built_under_another_database_is_taken_over(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    be_whole()
    builds.look(stage.now)
    stage.work_off()
    sweep.refresh_from_db()
    assert sweep.run_id
    assert name() not in stage.runner.started


def test_a_trial_whose_environment_has_gone_waits_until_it_is_built_again(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    be_whole()
    builds.look(stage.now)
    places.remove(environments_root(), RECIPE.digest)
    stage.work_off()
    assert not stage.attempts(sweep)
    trial = sweep.trials.first()
    assert trial is not None
    assert (trial.status, trial.reason) == (
        "Queued",
        "Its environment has gone, and is built again.",
    )
    assert builds.look(stage.now)
    assert stage.runner.started == [name(2)]


def test_so_many_are_built_at_once_and_one_less_for_a_workspace(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    for number in range(builds.AT_ONCE + 1):
        make(f"s{number}", Recipe("/usr/bin/python3", (f"six=={number}",)))
    builds.look(stage.now)
    assert len(stage.runner.started) == builds.AT_ONCE - 1
    other = Workspace.objects.create(name="other")
    for number in range(2):
        one = Recipe("/usr/bin/python3", (f"attrs=={number}",))
        build_of(one, stage.now)
        ask_for(one.digest, other)
    for _ in range(2):
        builds.look(stage.now)
    assert len(stage.runner.started) == builds.AT_ONCE
    [digest] = BuildRequest.objects.filter(build__state="building").values_list("build", flat=True)
    assert stage.runner.started[-1] == f"environment.{digest[:12]}.1"


@pytest.mark.parametrize("how", ["delete", "change", "withdraw"])
def test_a_build_that_was_asked_for_by_hand_ends_with_the_wish(
    stage: Stage, make: Callable[..., Sweep], workspace: Workspace, how: str
) -> None:
    mine, again = (
        Environment.objects.create(workspace=workspace, name=name, source="six")
        for name in ("mine", "again")
    )
    build = build_of(RECIPE, stage.now)
    for one in (mine, again):
        ask_for(RECIPE.digest, workspace, one)
    builds.look(stage.now)
    delete_environment(again)
    builds.look(stage.now)
    assert stage.runner.stopped == {}, "another asks for it"
    if how == "delete":
        delete_environment(mine)
    elif how == "change":
        mine.description = "as ever"
        save_environment(mine)
        assert the_build().is_asked_for
        mine.source = "attrs"
        save_environment(mine)
    else:
        withdraw(build, workspace, mine)
    builds.look(stage.now)
    assert list(stage.runner.stopped) == [name()]
    assert not builds.look(stage.now)
    assert not BuildRequest.objects.exists()


def test_what_trials_wait_for_is_built_though_somebody_withdrew_it(
    stage: Stage, make: Callable[..., Sweep], workspace: Workspace
) -> None:
    make()
    be_whole()
    builds.look(stage.now)
    lose_build(RECIPE.digest)
    withdraw(the_build(), workspace)
    assert not the_build().is_asked_for
    lose_build(RECIPE.digest)  # as the next start of a trial does
    assert the_build().is_asked_for


def test_a_full_disk_claims_nothing(
    stage: Stage, make: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> None:
    make()

    def full(*_: Any) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(builds.places, "prepare", full)
    with pytest.raises(OSError, match="No space"):
        builds.look(stage.now)
    assert the_build().state == EnvironmentBuild.WAITING
    monkeypatch.undo()
    monkeypatch.setattr(builds, "get_runner", lambda kind: stage.runner)
    conditions.set_condition(DISK, "Disk space is low.", stage.now)
    assert not builds.look(stage.now)
    conditions.clear_condition(DISK)
    assert builds.look(stage.now)


def test_a_disk_that_fills_up_is_no_fault_of_the_packages(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    for number in range(1, MOST_LOSSES + 1):
        sweep.refresh_from_db()
        assert sweep.status == "Queued"
        builds.look(stage.now)
        write_log("$ uv pip install\nerror: failed: No space left on device (os error 28)", number)
        end(stage, number, code=2)
        builds.look(stage.now)
    sweep.refresh_from_db()
    assert sweep.status == "Failed"  # It will not fit.
    assert f"the disk was full, {MOST_LOSSES} times in a row" in sweep.reason


def test_one_that_takes_too_long_says_so_in_a_sentence(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    builds.look(stage.now)
    end(stage, by=EndedBy.TIME_LIMIT, message="The command ran into its time limit of 60 s.")
    builds.look(stage.now)
    sweep.refresh_from_db()
    assert "could not be built: The command ran into its time limit of 60 s. The" in sweep.reason


def test_what_a_setup_script_put_in_the_way_ends_its_build_alone(
    stage: Stage, make: Callable[..., Sweep]
) -> None:
    sweep = make()
    (environments_root() / RECIPE.digest / "built.json" / "x").mkdir(parents=True)
    for _ in range(MOST_LOSSES):
        builds.look(stage.now)
    sweep.refresh_from_db()
    assert sweep.status == "Failed"
    assert "its folder cannot be written" in sweep.reason


def test_what_was_wanted_before_all_is_isolated_is_never_built_as_the_studio_itself(
    stage: Stage, make: Callable[..., Sweep], settings: Any
) -> None:
    make()
    settings.STUDIO_ISOLATED_ONLY = True
    builds.look(stage.now)
    assert stage.runner.started == []
    build = the_build()
    assert build.state == EnvironmentBuild.FAILED
    assert "Clone the sweep" in build.reason
