"""What a job may name of this machine is none of the studio's own."""

from pathlib import Path

import pytest
from django.conf import settings

from sweeps import intake
from sweeps.domain.problems import InvalidInput


@pytest.mark.parametrize("name", ["", "..", "code", "data", "data/", "artifacts", "data/../code"])
def test_the_studios_folders_are_nobodys_code_or_data(name: str) -> None:
    own = Path(settings.STUDIO_HOME)
    for folder in ("code", "data", "artifacts"):
        (own / folder).mkdir(exist_ok=True)
    with pytest.raises(InvalidInput, match="the studio's own data"):
        intake.existing(str(own / name))


def test_an_upload_is(tmp_path: Path) -> None:
    place = intake.data_root() / ("0" * 64)
    place.mkdir(parents=True, exist_ok=True)
    assert intake.existing(str(place)) == place.resolve()
    link = tmp_path / "link"
    link.symlink_to(intake.data_root())
    with pytest.raises(InvalidInput, match="the studio's own data"):
        intake.existing(str(link))


@pytest.mark.parametrize(
    "path",
    [
        "ext::sh -c touch% /tmp/ran", "git+ssh://-oProxyCommand=touch/x", "ssh://host/x",
        "file:///etc", "file::/etc", "git@host:x.git", "https://example.org/x.git", "-x", "\0",
    ],
)  # fmt: skip
def test_no_address_is_a_folder(path: str) -> None:
    with pytest.raises(InvalidInput):
        intake.existing_folder(path)
