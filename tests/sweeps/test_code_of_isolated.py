"""Where computes are isolated, the studio reads for people what every user might, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.models import Compute, Workspace
from sweeps import intake, intake_places
from sweeps.domain.problems import InvalidInput
from sweeps.models import DataUpload
from tests.isolated import open_folder


@pytest.fixture
def folder(workspace: Workspace, compute: Compute) -> Iterator[Path]:
    Compute.objects.update(isolated=True)
    with open_folder() as place:
        code = place / "code"
        code.mkdir(mode=0o755)
        (code / "train.py").write_text("print(1)")
        for path, mode in ((place, 0o755), (code, 0o755), (code / "train.py", 0o644)):
            path.chmod(mode)
        yield code


def test_a_folder_that_every_user_may_read_is_code(workspace: Workspace, folder: Path) -> None:
    assert intake.keep_folder(workspace, str(folder)).file_count == 1


def test_what_only_the_studio_may_read_is_none(workspace: Workspace, folder: Path) -> None:
    folder.parent.chmod(0o700)
    with pytest.raises(InvalidInput, match=r"There is no .* that every user may read: upload"):
        intake.keep_folder(workspace, str(folder))
    with pytest.raises(InvalidInput, match="upload it instead"):
        intake_places.existing(str(folder / "train.py"))
    folder.parent.chmod(0o755)
    (folder / "train.py").chmod(0o600)
    with pytest.raises(
        InvalidInput, match="cannot be read: not every user of this machine may read"
    ):
        intake.keep_folder(workspace, str(folder))
    Compute.objects.update(isolated=False)
    assert intake.keep_folder(workspace, str(folder)).file_count == 1


def test_uploaded_data_of_whomever_is_no_code(workspace: Workspace, folder: Path) -> None:
    data = intake_places.data_root() / ("0" * 64)
    data.mkdir(parents=True, exist_ok=True)
    (data / "train.py").write_text("print(2)")
    with pytest.raises(InvalidInput, match="There is no "):
        intake.keep_folder(workspace, str(data))
    DataUpload.objects.create(workspace=workspace, digest=data.name, path=data.name)
    with pytest.raises(InvalidInput, match="upload it as code"):
        intake.keep_folder(workspace, str(data))


def test_the_studios_own_example_is_code_wherever_it_lies(
    workspace: Workspace, folder: Path
) -> None:
    assert intake.keep_folder(workspace, str(intake_places.IRIS)).file_count > 1
