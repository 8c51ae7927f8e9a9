"""A sweep waits for its inputs from the web: nothing starts before, all trials see the same."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.models import Workspace
from sweeps import tasks
from sweeps.domain.job import DataInput
from sweeps.domain.problems import InvalidInput
from sweeps.engine import downloads, launch
from sweeps.intake import check_inputs
from sweeps.models import InputFetch, Sweep
from sweeps.queries import fetches
from sweeps.queries.waiting import why_sweep
from sweeps.services import control
from sweeps.services.fetches import MOST_TRIES, note_progress
from tests.conftest import job
from tests.engine.conftest import Stage
from tests.stores.web import Web, reply, serving

COMMAND = "python t.py ${{inputs.iris}} ${{search_space.lr}} ${{search_space.boosting}}"


@pytest.fixture
def web(settings: Any) -> Iterator[Web]:
    settings.STUDIO_DOWNLOAD_PRIVATE = True
    with serving() as found:
        found.files["/iris.csv"] = b"a,b\n1,2\n"
        yield found


@pytest.fixture
def waiting(stage: Stage, make_sweep: Callable[..., Sweep], web: Web) -> Sweep:
    inputs = {"iris": DataInput(f"{web.base}/iris.csv", "uri_file"), "n": 3}
    sweep = make_sweep(inputs=inputs, command=COMMAND)
    tasks.advance_sweep.call_local(sweep.pk)
    return sweep


def bring(stage: Stage) -> None:
    """What the engine's threads do, here and now."""
    for fetch in fetches.due_fetches(stage.now):
        downloads.fetch_input(fetch, lambda: stage.now)


def test_nothing_starts_until_the_input_is_there_and_then_all_see_it(
    stage: Stage, waiting: Sweep, web: Web
) -> None:
    assert not waiting.trials.exists()
    assert stage.tracking.runs == {}
    assert why_sweep(waiting, stage.now).startswith(("Downloading iris.csv.", "The "))
    bring(stage)
    stage.work_off()
    argvs = [attempt.argv for attempt in stage.attempts(waiting)]
    assert len(argvs) == 2
    assert argvs[0][2] == argvs[1][2]
    assert Path(argvs[0][2]).read_bytes() == b"a,b\n1,2\n"
    assert len(web.asked) == 1


def test_progress_is_told(stage: Stage, waiting: Sweep) -> None:
    [fetch] = InputFetch.objects.all()
    note_progress(fetch, 3_100_000, 12_000_000, "", "")
    assert fetches.fetch_lines([waiting.pk])[waiting.pk] == "Downloading iris.csv: 3.1 of 12 MB."
    note_progress(fetch, 3_100_000, None, "", "")
    assert fetches.fetch_lines([waiting.pk])[waiting.pk] == "Downloading iris.csv: 3.1 MB so far."


def test_an_address_that_is_not_there_ends_the_sweep_and_costs_no_attempt(
    stage: Stage, waiting: Sweep, web: Web
) -> None:
    web.files.clear()
    bring(stage)
    stage.work_off()
    waiting.refresh_from_db()
    expected = f"{web.base}/iris.csv answered 404 Not Found; check inputs.iris.path."
    assert (waiting.status, waiting.reason) == ("Failed", expected)
    assert not waiting.trials.exists()
    assert fetches.due_fetches(stage.now) == []


def test_a_server_that_is_away_is_asked_again_and_then_given_up(
    stage: Stage, waiting: Sweep, web: Web
) -> None:
    web.special["/iris.csv"] = lambda _web, request: reply(request, 503, b"")
    bring(stage)
    assert fetches.due_fetches(stage.now) == [], "not at once"
    assert "is tried again" in fetches.fetch_lines([waiting.pk])[waiting.pk]
    for _ in range(MOST_TRIES - 1):
        InputFetch.objects.update(not_before=None)
        waiting.refresh_from_db()
        assert waiting.status == "Queued"
        bring(stage)
    waiting.refresh_from_db()
    assert waiting.status == "Failed"
    assert f"503 Service Unavailable, {MOST_TRIES} times; check inputs.iris" in waiting.reason


def test_a_later_sweep_asks_whether_it_changed_and_each_keeps_its_own(
    stage: Stage, waiting: Sweep, web: Web, make_sweep: Callable[..., Sweep]
) -> None:
    bring(stage)
    inputs = {"iris": DataInput(f"{web.base}/iris.csv", "uri_folder")}
    second = make_sweep(name="second", inputs=inputs, command=COMMAND)
    bring(stage)
    assert "if-none-match" in web.asked[-1][1]
    web.files["/iris.csv"] = b"changed"
    third = make_sweep(name="third", inputs=inputs, command=COMMAND)
    bring(stage)
    one, two, three = (launch._inputs(s, Path("/"))["iris"] for s in (waiting, second, third))
    assert Path(one).parent == Path(two)
    assert (Path(three) / "iris.csv").read_bytes() == b"changed"
    assert Path(one).read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize("theirs", [False, True])
def test_by_its_checksum_alone_a_workspace_has_what_it_downloaded_itself(
    stage: Stage, waiting: Sweep, web: Web, make_sweep: Callable[..., Sweep], theirs: bool
) -> None:
    """Of another workspace's the server says whether it still gives it out."""
    bring(stage)
    asked = len(web.asked)
    if theirs:
        other = Workspace.objects.create(name="other")
        Sweep.objects.filter(pk=waiting.pk).update(workspace=other)
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    inputs = {"iris": DataInput(f"{web.base}/iris.csv#sha256={digest}", "uri_file")}
    make_sweep(name="second", inputs=inputs, command=COMMAND)
    bring(stage)
    assert len(web.asked) == asked + theirs


def test_a_cancelled_or_paused_sweep_downloads_nothing(
    stage: Stage, waiting: Sweep, web: Web
) -> None:
    control.pause_sweep(waiting, actor="bob", now=stage.now)
    bring(stage)
    tasks.advance_sweep.call_local(waiting.pk)
    assert web.asked == []
    assert stage.tracking.runs == {}, "it is not opened without its inputs"
    control.resume_sweep(waiting, actor="bob", now=stage.now)
    [fetch] = fetches.due_fetches(stage.now)
    control.cancel_sweep(waiting, actor="bob", now=stage.now)
    downloads.fetch_input(fetch, lambda: stage.now)
    tasks.advance_sweep.call_local(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "Canceled"
    assert InputFetch.objects.get().state == InputFetch.WAITING


def test_a_download_that_was_deleted_says_so(stage: Stage, waiting: Sweep) -> None:
    bring(stage)
    row = InputFetch.objects.get()
    next((stage_home(stage) / "downloads").rglob("iris.csv")).unlink()
    assert row.state == InputFetch.DONE
    with pytest.raises(InvalidInput, match="is gone; clone the sweep"):
        launch._inputs(waiting, Path("/"))


class Began(list[InputFetch]):
    """Threads that never end."""

    def thread(self, *, args: list[InputFetch], **_: Any) -> SimpleNamespace:
        return SimpleNamespace(start=lambda: self.extend(args))


def test_one_workspace_neither_has_all_slots_nor_hides_what_others_wait_for(
    stage: Stage, make_sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_for(sweep: Sweep, *names: str) -> None:
        for name in names:
            url = f"https://{sweep.workspace}.example.org/{name}"
            InputFetch.objects.create(sweep=sweep, input=name, path=url, url=url, name=name)

    began = Began()
    made = SimpleNamespace(Thread=began.thread, Lock=threading.Lock)
    monkeypatch.setattr(downloads, "threading", made)
    slow = make_sweep()
    for number in range(40):
        wait_for(slow, f"slow{number}")
    wait_for(slow, "twice")
    engine = downloads.Downloads()
    for _ in range(2):
        engine.look(stage.now)
    assert [one.name for one in began] == ["slow0", "slow1", "slow2"]
    other = make_sweep(name="other")
    Sweep.objects.filter(pk=other.pk).update(workspace=Workspace.objects.create(name="other"))
    other.refresh_from_db()
    wait_for(other, "mine", "next")
    for _ in range(2):
        engine.look(stage.now)
    assert [one.name for one in began] == ["slow0", "slow1", "slow2", "mine"]
    engine._busy.popitem()
    engine.look(stage.now)
    assert [one.name for one in began[4:]] == ["mine"], "the only one who may have another"


def stage_home(_stage: Stage) -> Path:
    return downloads.downloads_root().parent


def test_what_cannot_be_downloaded_is_refused_at_submit() -> None:
    inputs = {
        "a": DataInput("s3://bucket/x", "uri_file"),
        "b": DataInput("https://example.org/x", "mltable"),
        "c": DataInput("iris:1", "uri_file"),
        "d": DataInput("https://example.org/x", "uri_file"),
    }
    problems = check_inputs(job(inputs=inputs), ())
    assert [problem.field for problem in problems] == [
        "inputs.a.path", "inputs.b.path", "inputs.c.path",
    ]  # fmt: skip
    assert "data asset of Azure ML" in problems[2].message
