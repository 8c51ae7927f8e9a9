"""What keeps `manage.py studio` from starting is told in one sentence, with a failing exit."""

import socket
from pathlib import Path

import pytest

from studio.supervisor import home
from tests.e2e.studios import manage


def refused(folder: Path, port: int = 0, **variables: str) -> str:
    """The one line that the command leaves."""
    done = manage(folder, port or home.free_port(), "studio", **variables)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    return line


def test_a_second_start_on_the_same_home(tmp_path: Path) -> None:
    with home.lock(tmp_path, "http://127.0.0.1:8000"):
        line = refused(tmp_path)
    assert line.startswith(f"studio: A studio runs on {tmp_path} already (pid ")
    assert line.endswith("Stop it first, or set STUDIO_HOME and STUDIO_PORT for a second one.")


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(tmp_path, port)
    assert line == (
        f"studio: Port {port} on 127.0.0.1 cannot be used (Address already in use). "
        "Stop what uses it, or set STUDIO_PORT to another port."
    )


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    assert "on 192.0.2.1 cannot be used" in refused(tmp_path, STUDIO_HOST="192.0.2.1")


def test_a_host_that_is_no_host(tmp_path: Path) -> None:
    assert "on no.such.host.invalid cannot be used" in refused(
        tmp_path, STUDIO_HOST="no.such.host.invalid"
    )


def test_a_home_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "home", Path("/proc/studio")):
        line = refused(folder)
        assert line.startswith(f"studio: STUDIO_HOME {folder} cannot be written to (")
        assert line.endswith("Point STUDIO_HOME at a folder that you own.")


BAD = {
    ("STUDIO_PORT", "http"): "STUDIO_PORT must be a number from 1 to 65535, not “http”.",
    ("STUDIO_PORT", "70000"): "STUDIO_PORT must be a number from 1 to 65535, not “70000”.",
    ("STUDIO_DEBUG", "maybe"): "STUDIO_DEBUG must be true or false, not “maybe”.",
    ("STUDIO_LOG_CAP_MB", "-1"): "STUDIO_LOG_CAP_MB must be a number from 1 to 100000, not “-1”.",
    ("DATABASE_URL", "mysql://x/y"): "DATABASE_URL must start with postgresql://, not “mysql://”;",
}


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_wrong_variable(tmp_path: Path, name: str, value: str) -> None:
    line = refused(tmp_path, **{name: value})
    assert line.startswith(f"studio: {BAD[name, value]}")
