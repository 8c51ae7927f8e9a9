"""A workspace that has filled its part of the disk is told what to do, and stores no more."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.utils import timezone

from studio.models import Role, User, Workspace
from studio.services import create_token
from sweeps.domain.problems import InvalidInput
from sweeps.engine.usage import DiskUse
from sweeps.gateway import proxy, views
from sweeps.gateway.identity import MemberCaller
from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import match
from sweeps.models import CodeSnapshot, DataUpload, Sweep
from sweeps.queries.conditions import DISK
from sweeps.services.conditions import clear_condition, set_condition
from sweeps.stores.usage import used
from tests.api.conftest import Caller
from tests.api.fuzz.stage import bundle, zipped

MIB = 2**20


@pytest.fixture
def full(workspace: Workspace, settings: Any) -> Workspace:
    settings.STUDIO_WORKSPACE_QUOTA_GB = 1
    Workspace.objects.filter(pk=workspace.pk).update(disk_used=1_500_000_000)
    return workspace


def test_files_count_by_what_they_take_and_names_share(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * MIB)
    (tmp_path / "a" / "two").write_bytes(b"x" * MIB)
    os.link(tmp_path / "a" / "two", tmp_path / "same")
    (tmp_path / "away").symlink_to("/usr")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert used(tmp_path) == 2 * MIB
    assert used(tmp_path / "a") == MIB + MIB // 2
    assert used(tmp_path / "not there") == 0


def test_what_is_used_is_measured(
    sweep: Sweep, workspace: Workspace, settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_HOME, settings.TRACKING_ARTIFACTS = tmp_path, tmp_path / "artifacts"
    Sweep.objects.filter(pk=sweep.pk).update(experiment_id="7")
    for folder in (f"trials/{sweep.uid}/0.1", "artifacts/7/r/artifacts", "artifacts/8/r"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_bytes(b"x" * MIB)
    for name in ("a", "b"):  # the same bytes under two names lie there twice
        DataUpload.objects.create(
            workspace=workspace, digest="d", name=name, path=f"d.{name}/{name}", size=5
        )
    CodeSnapshot.objects.create(workspace=workspace, digest="c", origin="", file_count=1, size=7)
    use = DiskUse()
    use.measure()
    workspace.refresh_from_db()
    assert workspace.disk_used == 2 * MIB + 17
    assert workspace.disk_measured_at is not None
    Sweep.objects.filter(pk=sweep.pk).update(run_closed=True)
    use.measure()
    (tmp_path / f"trials/{sweep.uid}/0.1/file").unlink()  # of what is over nobody asks again
    use.measure()
    workspace.refresh_from_db()
    assert workspace.disk_used == 2 * MIB + 17


def test_a_full_workspace_makes_no_sweep_and_takes_no_upload(
    full: Workspace, make_sweep: Any, alice: User
) -> None:
    with pytest.raises(InvalidInput, match=r"uses 1\.5 GB of the 1 GB that it may"):
        make_sweep()
    secret = create_token(full, alice, role=Role.OWNER, name="t", now=timezone.now()).secret
    for path, part in (
        ("code", {"code": SimpleUploadedFile("c.zip", zipped())}),
        ("data", {"file": SimpleUploadedFile("d.csv", b"1,2")}),
    ):
        began = time.process_time()
        answer = Caller(secret).upload(f"/workspaces/default/{path}", **part)
        assert (answer.status_code, time.process_time() - began < 1) == (409, True)
        assert "STUDIO_WORKSPACE_QUOTA_GB" in answer.json()["error"]["message"]
    assert not CodeSnapshot.objects.exists()
    assert not DataUpload.objects.exists()


def test_while_the_disk_is_nearly_full_nothing_is_uploaded_and_sweeps_wait(
    workspace: Workspace, make_sweep: Any, alice: User, client: Client
) -> None:
    secret = create_token(workspace, alice, role=Role.OWNER, name="t", now=timezone.now()).secret

    def statuses() -> list[int]:
        parts = (
            ("code", "code", "c.zip", zipped()), ("data", "file", "d.csv", b"1,2"),
            ("bundles", "bundle", "b.zip", bundle()),
        )  # fmt: skip
        files = [
            (path, {name: SimpleUploadedFile(called, data)}) for path, name, called, data in parts
        ]
        return [
            Caller(secret).upload(f"/workspaces/default/{p}", **f).status_code for p, f in files
        ]

    set_condition(DISK, "Disk space is low.", timezone.now())
    assert statuses() == [409] * 3
    assert not CodeSnapshot.objects.exists()
    assert make_sweep().status == "Queued", "the engine pauses it"
    clear_condition(DISK)
    assert statuses() == [201] * 3


def test_an_artifact_is_refused_and_what_is_stored_counts_at_once(
    full: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    monkeypatch.setattr(proxy, "upload", lambda request, matched, judge: sent.append(matched))
    path = "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/model.bin"
    matched = match("PUT", path)
    assert matched is not None
    caller = MemberCaller("default", True)
    request = RequestFactory().put(path, b"x" * 100)
    with pytest.raises(Refusal) as refused:
        views._store(request, caller, matched)
    assert (refused.value.status, sent) == (413, [])
    assert "Delete sweeps" in refused.value.message
    Workspace.objects.update(disk_used=999_999_950)
    views._store(request, caller, matched)
    assert len(sent) == 1
    with pytest.raises(Refusal):
        views._store(request, caller, matched)


def test_without_a_quota_nothing_is_measured_or_refused(
    full: Workspace, make_sweep: Any, settings: Any, client: Client, alice: User
) -> None:
    client.force_login(alice)
    settings.STUDIO_WORKSPACE_QUOTA_GB = 0
    make_sweep()
    use = DiskUse()
    use.look()
    assert use._thread is None
    assert 'id="disk"' not in client.get("/w/default/settings/").content.decode()


def test_the_settings_say_what_is_used(full: Workspace, client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "has not measured yet" in client.get("/w/default/settings/").content.decode()
    Workspace.objects.update(disk_measured_at=timezone.now())
    assert "1.5 GB of 1 GB are used" in client.get("/w/default/settings/").content.decode()
