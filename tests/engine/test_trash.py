"""What strangers' programs made is removed by nobody whom others wait for: it is thrown away."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.models import Compute
from sweeps import intake
from sweeps.domain.environments import Recipe
from sweeps.engine import builds, compute_test, isolated_builds, steps, trash
from sweeps.engine.trash import Trash
from sweeps.environments import places
from sweeps.models import Sweep
from sweeps.queries.environments import environments_root
from sweeps.queries.places import spool_of
from sweeps.runners.base import EndedBy, Result, RunAs
from sweeps.services.environments import ask_for, build_of
from sweeps.stores import handover
from sweeps.stores.removal import remove_tree
from sweeps.stores.trash import NAME, throw_away, thrown_away
from tests.engine.conftest import Stage

MANY = 50
RECIPE = Recipe("/usr/bin/python3", ("six",), owner="default")


def fill(folder: Path) -> Path:
    """As a program fills its folder for temporary files."""
    (folder / "deep" / "deeper").mkdir(parents=True)
    for number in range(MANY):
        (folder / "deep" / f"{number}").touch()
    (folder / "link").symlink_to("/etc")
    return folder


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that `fill` has made, and that the thread of the test removed."""
    found: list[str] = []
    real, mine = os.unlink, threading.get_ident()

    def unlink(path: Any, *rest: Any, **more: Any) -> None:
        name = os.path.basename(os.fspath(path))
        if threading.get_ident() == mine and name.isdecimal():
            found.append(name)
        real(path, *rest, **more)

    monkeypatch.setattr(os, "unlink", unlink)
    return found


def waits(place: Path) -> int:
    """How many files wait to be removed; the place has nothing else that `fill` made."""
    return sum(len(list(thing.rglob("deep/[0-9]*"))) for _, thing in thrown_away(place))


def empty() -> None:
    Trash(lambda _: None).empty()
    assert not any(thrown_away(place) for place in trash.places())


def test_a_trials_temporary_files_hold_up_no_worker(
    stage: Stage, make_sweep: Callable[..., Sweep], tmp_path: Path, removed: list[str]
) -> None:
    attempt = stage.open(make_sweep())[0]
    temporary = fill(spool_of(attempt) / "tmp")
    stage.end(attempt)
    steps.poll(steps.Waker(), stage.now)
    stage.work_off()
    assert removed == []
    assert not temporary.exists()
    assert waits(tmp_path / "trials") == MANY
    empty()
    assert os.path.isdir("/etc")


def test_a_builds_temporary_files_and_earlier_tries_hold_up_no_engine(
    stage: Stage, tmp_path: Path, removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "get_runner", lambda kind: stage.runner)
    recipe = Recipe("/usr/bin/python3", ("six",))
    build_of(recipe, stage.now)
    ask_for(recipe.digest)
    builds.look(stage.now)
    spool = places.spool_of(environments_root(), recipe.digest, 1)
    fill(spool / "tmp")
    fill(spool / "else")
    at = stage.now.timestamp()
    killed = Result(EndedBy.SIGNAL, None, 9, at, at + 1, 1, "Killed.")
    stage.runner.finish(f"environment.{recipe.digest[:12]}.1", killed)
    builds.look(stage.now)
    assert stage.runner.started[1:] == [f"environment.{recipe.digest[:12]}.2"]
    assert removed == []
    assert not spool.exists()
    assert waits(tmp_path / "environments") == 2 * MANY
    empty()


def test_what_an_earlier_build_made_holds_up_no_engine(
    db: None, settings: Any, tmp_path: Path, removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_HOME = tmp_path
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    places.prepare(environments_root(), RECIPE.digest, RECIPE, 1)
    folder = environments_root() / RECIPE.digest
    for name in ("venv", places.RECORD):
        fill(folder / name)
    isolated_builds.hand_over(RECIPE.digest, folder / "build-1", RunAs(5, 4))
    assert removed == []
    assert list((folder / "venv").iterdir()) == list((folder / places.RECORD).iterdir()) == []
    assert waits(tmp_path / "environments") == 2 * MANY


def test_the_test_of_a_compute_and_a_deleted_sweep_hold_up_nobody(
    stage: Stage, make_sweep: Callable[..., Sweep], compute: Compute, tmp_path: Path,
    removed: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def probe(_compute: Compute, _program: str, spool: Path, *_: Any) -> list[compute_test.Step]:
        fill(spool / "tmp")
        return []

    monkeypatch.setattr(compute_test, "_probe", probe)
    compute_test.run(compute, tmp_path / "tests", lambda _: None)
    attempt = stage.open(make_sweep())[0]
    fill(spool_of(attempt) / "outputs" / "more")
    intake.forget_trials(attempt.trial.sweep)
    assert removed == []
    assert [path.name for path in (tmp_path / "tests").iterdir()] == [NAME]
    assert [path.name for path in (tmp_path / "trials").iterdir()] == [NAME]
    assert waits(tmp_path / "tests") == waits(tmp_path / "trials") == MANY
    empty()


def test_the_engine_removes_it_in_a_thread_also_what_an_engine_left_that_was_killed(
    settings: Any, tmp_path: Path, removed: list[str]
) -> None:
    settings.STUDIO_HOME = tmp_path
    fill(tmp_path / "trials" / "x" / "tmp")
    trash.throw_away(tmp_path / "trials" / "x" / "tmp")
    assert (tmp_path / "trials" / NAME).stat().st_mode & 0o777 == 0o700
    after = Trash(lambda _: None)
    after.look()
    assert after._thread
    after._thread.join(60)
    assert removed == []
    assert list((tmp_path / "trials" / NAME).iterdir()) == []
    idle = Trash()
    idle.look()
    assert idle._thread is None, "no thread where there is nothing to do"


def test_it_takes_two_fifths_of_the_time_and_all_groups_in_turn(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_HOME = tmp_path
    place = tmp_path / "trials" / NAME
    for name in ("1-a", "1-b", "1-c", "2-a", "odd"):
        (place / name).mkdir(parents=True)
    calls: list[str] = []
    clock = [0.0]
    rests: list[float] = []

    def part(thing: Path, most_s: float) -> bool:
        clock[0] += most_s
        calls.append(thing.name)
        if thing.name[0] == "2" or calls.count(thing.name) == 3:
            return remove_tree(thing)
        if thing.name == "odd":
            raise PermissionError("no")
        return False

    monkeypatch.setattr(trash, "remove_tree", part)
    monkeypatch.setattr(trash, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    Trash(rests.append).empty()
    # The second group's comes in the first round, whatever the first group's takes.
    assert {name[0] for name in calls[:3]} == {"1", "2", "o"}
    assert len(calls) == 3 * 3 + 1 + 1
    assert [path.name for path in place.iterdir()] == ["odd"], (
        "told of, and left for the next start"
    )
    assert rests == pytest.approx([0.6] * len(calls))


def test_a_tree_is_removed_in_parts_however_short(tmp_path: Path) -> None:
    top = fill(tmp_path / "top")
    for number in range(MANY):
        (top / "deep" / f"f{number}" / "x").mkdir(parents=True)
    things = sum(1 for _ in top.rglob("*"))
    parts = 1
    while not remove_tree(top, -1.0):
        parts += 1
    assert parts <= 2 * things
    assert not top.exists()


def test_links_are_thrown_away_and_not_followed(tmp_path: Path) -> None:
    kept = fill(tmp_path / "kept")
    (tmp_path / "x").symlink_to(kept)
    assert throw_away(tmp_path, tmp_path / "x")
    assert not throw_away(tmp_path, tmp_path / "x")
    [(_, thing)] = thrown_away(tmp_path)
    assert thing.is_symlink()
    assert remove_tree(thing)
    assert len(list(kept.rglob("*"))) == MANY + 3
    (tmp_path / NAME).rmdir()
    (tmp_path / NAME).symlink_to(kept)
    with pytest.raises(OSError):
        throw_away(tmp_path, kept / "deep")


def test_the_trash_is_in_every_place_that_strangers_get_to() -> None:
    assert [place.name for place in trash.places()] == list(handover.PASSABLE)
