"""Data is whose workspace was handed it: naming its path makes nobody its owner."""

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from studio.models import Compute, Workspace
from sweeps import intake, intake_places
from sweeps.domain.problems import InvalidInput
from sweeps.models import DataUpload, Sweep
from sweeps.queries.uploads import foreign
from sweeps.stores.digests import combine
from sweeps.views.new_sweep_code import keep_folder, stored

remember = import_module("sweeps.migrations.0023_uploads_of_sweeps").remember


@pytest.fixture
def theirs(workspace: Workspace) -> Path:
    """Where another workspace's data lies."""
    other = Workspace.objects.create(name="other")
    return intake.data_place(intake.keep_data_file(other, [b"1,2\n"], "theirs.csv")[0])


def is_foreign(workspace: Workspace, path: Path) -> bool:
    return foreign(workspace, {"x": str(path)}, intake_places.data_root()) == ["x"]


@pytest.mark.parametrize("literal", ["{}", "/data/{}", "see /data/{} there"])
def test_a_literal_that_names_it_makes_nobody_its_owner(
    workspace: Workspace, make_sweep: Callable[..., Sweep], theirs: Path, literal: str
) -> None:
    assert is_foreign(workspace, theirs)
    make_sweep(inputs={"x": literal.format(theirs.parent.name), "y": str(theirs)})
    assert is_foreign(workspace, theirs)
    remember(apps, None)
    assert is_foreign(workspace, theirs)


def test_the_form_shows_a_workspaces_own_data_alone(workspace: Workspace, theirs: Path) -> None:
    assert stored(workspace, str(theirs)) is None
    mine = intake.data_place(intake.keep_data_file(workspace, [b"12345"], "mine.csv")[0])
    assert stored(workspace, str(mine)) == ("mine.csv", 5)
    for path in (mine.parent, mine.parent / "gone.csv", mine / ".." / "mine.csv", "/etc/passwd"):
        assert stored(workspace, str(path)) is None


@pytest.mark.parametrize("isolated", [False, True])
def test_as_code_it_is_there_for_nobody_else(
    workspace: Workspace, compute: Compute, theirs: Path, isolated: bool
) -> None:
    """Not a folder of it, nor whether a file or a folder of that name was uploaded."""
    Compute.objects.update(isolated=isolated)
    (theirs.parent / "deep").mkdir(exist_ok=True)
    said = set()
    for path in (theirs, theirs.parent, theirs.parent / "deep", theirs.parent / "gone"):
        for keep in (intake.keep_folder, keep_folder):
            with pytest.raises(InvalidInput) as error:
                keep(workspace, str(path))
            said.add(error.value.problems[0].message.replace(str(path), "PATH"))
    assert said == {intake_places.missing("PATH")}


def test_data_without_a_record_is_of_who_read_it_first(
    workspace: Workspace, make_sweep: Callable[..., Sweep], theirs: Path
) -> None:
    def reading(name: str, value: Any, of: Workspace) -> None:
        sweep = make_sweep(name=name)
        Sweep.objects.filter(pk=sweep.pk).update(inputs={"x": value, "n": 3}, workspace=of)

    root, other = intake_places.data_root(), Workspace.objects.get(name="other")
    old, folder = root / ("a" * 64) / "old.csv", root / ("b" * 64)
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    old.parent.mkdir(exist_ok=True)
    old.write_text("1234")
    reading("literal", str(old), other)
    reading("first", {"type": "uri_file", "path": str(old)}, workspace)
    reading("second", {"type": "uri_file", "path": str(old)}, other)
    reading("folder", {"type": "uri_folder", "path": f"{folder}/deep/"}, workspace)
    reading("theirs", {"type": "uri_file", "path": str(theirs)}, workspace)
    reading("odd", {"type": "uri_file", "path": f"{root}/../secret_key"}, workspace)
    reading("web", {"type": "uri_file", "path": "https://example.org/x"}, workspace)
    remember(apps, None)
    remember(apps, None)
    rows = DataUpload.objects.filter(workspace=workspace).order_by("pk")
    assert list(rows.values_list("path", "name", "size")) == [
        (f"{'a' * 64}/old.csv", "old.csv", 4), ("b" * 64, "", 0),
    ]  # fmt: skip
    assert not is_foreign(workspace, old)
    assert is_foreign(other, old)
    assert is_foreign(workspace, theirs)


def test_a_path_that_nobody_can_follow_is_nobodys_data(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /proc/1/root is, where the studio's user is not root."""

    real = os.path.realpath

    def refuse(path: Any, **words: Any) -> str:
        if str(path).startswith("/proc/1/root"):
            raise PermissionError(path)
        return str(real(path, **words))

    monkeypatch.setattr("os.path.realpath", refuse)
    assert not is_foreign(workspace, Path("/proc/1/root/tmp"))


def packed(files: dict[str, bytes]) -> io.BytesIO:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return found


def listing(files: dict[str, bytes]) -> bytes:
    """A file whose SHA-256 is the digest of a folder with these files."""
    lines = [f"{len(n)}:{n}:{hashlib.sha256(d).hexdigest()}\n" for n, d in sorted(files.items())]
    return "".join(lines).encode()


PAY = {"pay.csv": b"ann,100\n"}


@pytest.mark.parametrize("first", ["folder", "file"])
def test_a_file_with_the_digest_of_a_folder_leads_to_no_folder(
    workspace: Workspace, first: str
) -> None:
    other = Workspace.objects.create(name="other")

    def theirs() -> Path:
        row, _ = intake.keep_data_folder(other, packed(PAY), "pay.zip")
        return intake.data_place(row)

    def mine(name: str) -> Path:
        row, _ = intake.keep_data_file(workspace, [listing(PAY)], name)
        return intake.data_place(row)

    place = theirs() if first == "folder" else None
    files = [mine("zz.txt"), mine("pay.csv")]
    place = place or theirs()
    assert files[0].parent.name.startswith(place.name), "the digests are the same"
    assert {path.name: path.read_bytes() for path in place.iterdir()} == PAY
    assert is_foreign(workspace, place)
    assert is_foreign(workspace, place / "pay.csv")
    assert not any(is_foreign(workspace, path) for path in files)


def test_where_files_once_lay_beside_folders_each_row_is_good_for_its_own(
    workspace: Workspace,
) -> None:
    other = Workspace.objects.create(name="other")
    folder, _ = intake.keep_data_folder(other, packed({"a.csv": b"1", "b.csv": b"2"}), "x.zip")
    digest, place = folder.digest, intake.data_place(folder)
    DataUpload.objects.create(
        workspace=workspace, digest=digest, name="a.csv", path=f"{digest}/a.csv"
    )
    assert not is_foreign(workspace, place / "a.csv")
    assert is_foreign(workspace, place)
    assert is_foreign(workspace, place / "b.csv")
    assert not is_foreign(other, place / "b.csv")


@pytest.mark.parametrize("planted", [{"pay.csv": b"0"}, PAY | {"pay.pyc": b"0"}, {"zz": b"0"}])
def test_a_folder_that_comes_is_what_lies_there_then(
    workspace: Workspace, planted: dict[str, bytes]
) -> None:
    digest = combine((name, hashlib.sha256(data).hexdigest()) for name, data in PAY.items())
    place = intake_places.data_root() / digest
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, data in planted.items():
        (place / name).write_bytes(data)
    row, _ = intake.keep_data_folder(workspace, packed(PAY), "pay.zip")
    assert intake.data_place(row) == place
    assert {path.name: path.read_bytes() for path in place.iterdir()} == PAY
