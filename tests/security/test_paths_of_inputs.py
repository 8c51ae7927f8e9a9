"""A path of the machine that a job names tells nothing that its author could not find out."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from studio.models import Compute
from studio.public import NotPublic, real_public
from sweeps import intake_places
from sweeps.domain.problems import InvalidInput
from sweeps.engine import launch
from tests.isolated import IS_ROOT, UID, open_folder


@pytest.fixture
def place() -> Iterator[Path]:
    """Of everybody, with a closed folder in it."""
    with open_folder() as found:
        (found / "open").mkdir()
        (found / "open" / "x.csv").write_text("1")
        for path in (found, found / "open", found / "open" / "x.csv"):
            path.chmod(0o755)
        (found / "closed").mkdir(mode=0o700)
        (found / "closed" / "there").write_text("1")
        yield found


def told(path: Path) -> str:
    """What the launch says of an input, or hands out."""
    inputs = {"x": {"type": "uri_file", "path": str(path)}}
    sweep = SimpleNamespace(inputs=inputs)
    work = Path(settings.STUDIO_HOME) / "trials" / "s" / "0.1" / "work"
    try:
        return launch._inputs(sweep, work, apart=True)["x"]  # type: ignore[arg-type]
    except InvalidInput as error:
        return error.problems[0].message.replace(str(path), "PATH")


def test_a_launch_tells_nothing_of_closed_places(place: Path) -> None:
    assert told(place / "open" / "x.csv") == str(place / "open" / "x.csv")
    missing = told(place / "closed" / "gone")
    assert missing.startswith("Input “x” is not there, or not for every user of this machine: ")
    assert told(place / "closed" / "there") == missing


def test_a_launch_hands_out_none_of_the_studios_own(tmp_path: Path) -> None:
    home = Path(settings.STUDIO_HOME)
    (home / "there").touch()
    assert told(home / "there") == told(home / "gone")
    assert "is not there" in told(home / "there")


if IS_ROOT:

    def test_a_link_that_an_earlier_trial_made_is_not_followed(place: Path) -> None:
        answers = set()
        for target in ("closed/there", "closed/gone", "open/x.csv", "gone"):
            (place / "link").symlink_to(place / target)
            os.lchown(place / "link", UID, UID)
            answers.add(told(place / "link"))
            (place / "link").unlink()
        assert len(answers) == 1
        assert "is not there" in answers.pop()
        (place / "mine").mkdir()
        (place / "way").symlink_to(place / "open")
        os.lchown(place / "way", UID, UID)
        assert "is not there" in told(place / "way" / "x.csv")


def test_an_administrators_links_lead_on(place: Path) -> None:
    (place / "way").symlink_to("open/../open")
    (place / "file").symlink_to(place / "way" / "x.csv")
    assert real_public(place / "file") == place / "open" / "x.csv"
    assert told(place / "file") == str(place / "open" / "x.csv")
    (place / "round").symlink_to("round")
    with pytest.raises(FileNotFoundError):
        real_public(Path("open/x.csv"))
    for name in ("round", "gone", "closed/there"):
        with pytest.raises(OSError):
            real_public(place / name)
    with pytest.raises(NotPublic, match="link of somebody else"):
        real_public(Path("/proc/self/cwd"))


def test_a_submit_says_the_same_of_what_is_closed_and_what_is_not_there(
    compute: Compute, place: Path
) -> None:
    Compute.objects.update(isolated=True)

    def said(path: Path) -> str:
        with pytest.raises(InvalidInput) as error:
            intake_places.existing(str(path))
        return error.value.problems[0].message.replace(str(path), "PATH")

    assert intake_places.existing(str(place / "open" / "x.csv")) == place / "open" / "x.csv"
    assert said(place / "closed" / "there") == said(place / "closed" / "gone")
    home = Path(settings.STUDIO_HOME)
    (home / "there").touch()
    assert said(home / "there") == said(home / "gone")
    (place / "link").symlink_to(home / "there")
    there = said(place / "link")
    (place / "link").unlink()
    (place / "link").symlink_to(home / "gone")
    assert said(place / "link") == there
