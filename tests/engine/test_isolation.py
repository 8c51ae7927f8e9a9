"""Inputs of isolated trials: lent is what the workspace was handed in, wherever a path leads."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.models import Workspace
from sweeps.engine.isolation import lent_inputs
from sweeps.models import DataUpload
from sweeps.runners.base import RunAs
from tests.isolated import IS_ROOT, UID, open_folder

OWN, FOREIGN = "a" * 64, "b" * 64
USER = RunAs(UID, UID)


@pytest.fixture
def home(settings, workspace: Workspace) -> Iterator[Path]:
    with open_folder() as place:
        settings.STUDIO_HOME = place / "home"
        for digest, of in ((OWN, workspace), (FOREIGN, Workspace.objects.create(name="other"))):
            file = settings.STUDIO_HOME / "data" / digest / "x.csv"
            file.parent.mkdir(parents=True)
            file.write_text(of.name)
            DataUpload.objects.create(workspace=of, digest=digest, path=f"{digest}/x.csv")
        (settings.STUDIO_HOME / "secret_key").write_text("secret")
        yield settings.STUDIO_HOME


def lent(workspace: Workspace, home: Path, path: Path) -> str:
    """Where the trial is told that its input lies, which the job had named so."""
    inputs = {"x": {"type": "uri_file", "path": str(path)}}
    sweep = SimpleNamespace(workspace=workspace, inputs=inputs)
    spool = home / "trials" / "sweep" / "0.1"
    # As the launch does: by now the path may be a link to somewhere else.
    return lent_inputs(sweep, {"x": str(path.resolve())}, USER, spool)["x"]  # type: ignore[arg-type]


if IS_ROOT:

    def test_the_workspaces_own_data_is_lent(workspace: Workspace, home: Path) -> None:
        place = Path(lent(workspace, home, home / "data" / OWN / "x.csv"))
        assert place == home / "trials" / "sweep" / "inputs" / "x" / "x.csv"
        assert place.read_text() == "default"
        assert (place.parent.stat().st_gid, place.parent.stat().st_mode & 0o777) == (UID, 0o710)


@pytest.mark.parametrize("name", [f"data/{FOREIGN}/x.csv", "secret_key", "data"])
def test_what_a_path_has_come_to_lead_to_is_not(
    workspace: Workspace, home: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "mine"
    path.symlink_to(home / name)
    assert lent(workspace, home, path) == str(home / name)
    assert not (home / "trials").exists()


def test_what_lies_elsewhere_stays_there(workspace: Workspace, home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert lent(workspace, home, tmp_path / "mine") == str((tmp_path / "mine").resolve())
