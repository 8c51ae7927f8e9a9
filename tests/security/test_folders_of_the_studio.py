"""What a job may name of this machine is none of the studio's own."""

import os
import stat
from pathlib import Path

import pytest
from django.conf import settings

from studio.models import Workspace
from studio.queues import RungStorage
from sweeps import intake_places
from sweeps.domain.problems import InvalidInput

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["", "..", "code", "data", "data/", "artifacts", "data/../code"])
def test_the_studios_folders_are_nobodys_code_or_data(name: str) -> None:
    own = Path(settings.STUDIO_HOME)
    for folder in ("code", "data", "artifacts"):
        (own / folder).mkdir(exist_ok=True)
    with pytest.raises(InvalidInput, match="the studio's own data"):
        intake_places.existing(str(own / name))


def test_an_upload_is(tmp_path: Path) -> None:
    place = intake_places.data_root() / ("0" * 64)
    place.mkdir(parents=True, exist_ok=True)
    assert intake_places.existing(str(place)) == place.resolve()
    link = tmp_path / "link"
    link.symlink_to(intake_places.data_root())
    with pytest.raises(InvalidInput, match="the studio's own data"):
        intake_places.existing(str(link))


@pytest.mark.parametrize(
    "path",
    [
        "ext::sh -c touch% /tmp/ran", "git+ssh://-oProxyCommand=touch/x", "ssh://host/x",
        "file:///etc", "file::/etc", "git@host:x.git", "https://example.org/x.git", "-x", "\0",
    ],
)  # fmt: skip
def test_no_address_is_a_folder(workspace: Workspace, path: str) -> None:
    with pytest.raises(InvalidInput):
        intake_places.existing_folder(workspace, path)


@pytest.mark.parametrize("is_there", [False, True])
def test_the_queue_is_for_its_owner_alone_whatever_the_shell_allows(
    tmp_path: Path, is_there: bool
) -> None:
    place = tmp_path / "huey.db"
    if is_there:
        place.touch(mode=0o644)
    before = os.umask(0o022)
    try:
        storage = RungStorage("test", str(place))
        storage.enqueue(b"x")
        names = {path.name for path in tmp_path.iterdir()}
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        storage.close()
    finally:
        os.umask(before)
    assert "huey.db" in names
    assert modes == {0o600}
