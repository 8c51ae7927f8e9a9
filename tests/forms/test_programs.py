"""What is said of programs of this machine, where their user may be another than the studio's."""

import os
from pathlib import Path

import pytest

from studio.forms import program_problem
from studio.models import Compute, Workspace
from sweeps.forms.environment import EnvironmentForm
from sweeps.models import Environment
from tests.isolated import open_folder


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A program in a folder that its owner alone may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    program = folder / "python"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_of_closed_programs_it_is_not_said_whether_they_are_there(closed: Path) -> None:
    assert program_problem(str(closed)) is None
    for path in (closed, closed.with_name("nope"), Path("/nope"), Path("/etc/passwd")):
        told = program_problem(str(path), apart=True)
        assert told is not None
        assert told.endswith(" is no program that all users here may run."), path
    assert program_problem("/bin/sh", apart=True) is None


def test_links_are_judged_by_where_they_lead(closed: Path, tmp_path: Path) -> None:
    os.symlink(closed, tmp_path / "link")
    assert program_problem(str(tmp_path / "link"), apart=True) is not None


def test_no_link_in_a_closed_folder_is_followed() -> None:
    with open_folder() as place:
        (place / "closed").mkdir(mode=0o700)
        os.symlink("/bin/sh", place / "closed" / "sh")
        os.symlink("/bin/sh", place / "sh")
        assert program_problem(str(place / "sh"), apart=True) is None
        for name in ("sh", "gone"):
            assert program_problem(str(place / "closed" / name), apart=True) is not None


@pytest.mark.django_db
def test_where_all_computes_are_isolated_an_environment_tells_no_more(
    workspace: Workspace, compute: Compute, closed: Path
) -> None:
    def problems() -> list[str]:
        given = {"name": "mine", "kind": "python", "source": str(closed), "description": ""}
        form = EnvironmentForm(given, instance=Environment(workspace=workspace))
        return form.errors.get("source", [])

    assert problems() == []
    Compute.objects.update(isolated=True)
    assert len(problems()) == 1
    Compute.objects.create(workspace=workspace, name="plain", slots=1)
    assert problems() == []
