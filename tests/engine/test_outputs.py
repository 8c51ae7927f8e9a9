"""An ended attempt's outputs are artifacts before its run is closed; the page has them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps import tasks
from sweeps.engine import outputs, runs
from sweeps.models import Attempt, Sweep
from sweeps.queries.clock import database_now
from sweeps.services import leases
from tests.engine.conftest import Stage
from tests.stores.test_snapshots import contents, folder


@pytest.fixture
def attempt(stage: Stage, sweep: Sweep, settings: Any, tmp_path: Path) -> Attempt:
    settings.TRACKING_ARTIFACTS = tmp_path / "artifacts"
    return stage.open(sweep)[0]


def left(attempt: Attempt) -> None:
    """What a script leaves behind."""
    folder(Path(attempt.spool), {
        "outputs/model/m.bin": b"model", "outputs/loose.txt": b"x",
        "work/outputs/plot.svg": b"<svg/>", "work/other.txt": b"no output",
    })  # fmt: skip


def close(attempt: Attempt) -> Attempt:
    attempt = runs.attempt_to_close(attempt.pk)
    assert runs.close_attempt(attempt)
    return Attempt.objects.select_related("trial__sweep").get(pk=attempt.pk)


def ended(stage: Stage, attempt: Attempt) -> Attempt:
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=stage.now, run_status="FINISHED")
    return close(attempt)


def test_outputs_are_artifacts_of_the_run(stage: Stage, attempt: Attempt, tmp_path: Path) -> None:
    left(attempt)
    before = attempt.trial.revision
    found = ended(stage, attempt)
    root = tmp_path / "artifacts" / "1" / found.run_id / "artifacts"
    assert contents(root) == {
        "outputs/model/m.bin": b"model",
        "outputs/loose.txt": b"x",
        "outputs/plot.svg": b"<svg/>",
    }
    assert found.outputs == {"files": 3, "size": 12, "note": ""}
    assert found.trial.revision > before, "its page has news"


def test_an_attempt_without_outputs_writes_nothing(stage: Stage, attempt: Attempt) -> None:
    found = ended(stage, attempt)
    assert found.outputs == {}
    assert found.run_closed


def test_one_worker_at_a_time_copies_what_another_user_left(
    stage: Stage, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(attempt)
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=stage.now, run_status="FINISHED")
    monkeypatch.setattr(outputs, "stranger", lambda _folder: 4242)
    name = f"outputs:{attempt.pk}"
    assert leases.acquire(name, "another", database_now(), 60)
    tasks.close_run.call_local(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.run_closed, attempt.outputs) == (False, {})
    assert ("close_run", attempt.pk) not in stage.queued(), "whoever copies them goes on"
    leases.release(name, "another")
    found = close(attempt)
    assert (found.run_closed, found.outputs["files"]) == (True, 3)
    assert not leases.held(name, database_now())


def test_more_than_a_moment_is_enough_for_goes_on_later(
    stage: Stage, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(attempt)
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=stage.now, run_status="FINISHED")
    monkeypatch.setattr(outputs, "ENOUGH_S", -1.0)
    tasks.close_run.call_local(attempt.pk)
    assert ("close_run", attempt.pk) in stage.queued()
    attempt.refresh_from_db()
    assert not attempt.run_closed
    monkeypatch.undo()


def test_a_disk_that_refuses_is_told_and_keeps_no_run_open(
    stage: Stage, attempt: Attempt, tmp_path: Path
) -> None:
    left(attempt)
    (tmp_path / "artifacts").write_text("in the way")
    found = ended(stage, attempt)
    assert found.run_closed
    assert found.outputs["note"]


def test_the_page_lists_and_downloads_them(
    stage: Stage,
    attempt: Attempt,
    client: Client,
    rita: User,
) -> None:
    left(attempt)
    ended(stage, attempt)
    trial, sweep = attempt.trial, attempt.trial.sweep
    page = f"/w/default/sweeps/{sweep.name}/trials/{trial.number}/"
    client.force_login(rita)
    html = client.get(page).content.decode()
    assert f'href="{page}artifacts/?path=outputs%2Fmodel"' in html, "a lone folder is opened"
    assert f'href="{page}artifacts.zip"' in html
    answer = client.get(f"{page}artifacts/outputs/plot.svg")
    assert b"".join(answer.streaming_content) == b"<svg/>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    packed = b"".join(client.get(f"{page}artifacts.zip").streaming_content)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("outputs/model/m.bin") == b"model"
    assert client.get(f"{page}artifacts/../../x").status_code == 404


def test_nobody_from_elsewhere_reads_them(
    stage: Stage, attempt: Attempt, client: Client, charlie: User
) -> None:
    left(attempt)
    ended(stage, attempt)
    client.force_login(charlie)
    page = f"/w/default/sweeps/{attempt.trial.sweep.name}/trials/0/"
    for address in ("artifacts.zip", "artifacts/outputs/loose.txt"):
        assert client.get(page + address).status_code == 404
