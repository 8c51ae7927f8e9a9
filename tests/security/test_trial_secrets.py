"""A real command: what it prints of its secrets, what lies on the disk, what it gets around it."""

import json
import stat
import time
from pathlib import Path

import pytest

from studio.secrecy import masks, passwords_in
from studio.secret_services import set_secret
from sweeps.engine import launch
from sweeps.environments import places
from sweeps.runners import spool
from sweeps.runners.base import Ended
from sweeps.runners.registry import get_runner
from sweeps.services import sweeps
from sweeps.stores import git
from tests.api.acts import start

CANARY = "canary/Se+cret=42\nsecond line of it"
TOKEN = "stt_token-of-this-trial"
SERVER = {
    "STUDIO_SECRET_KEY": "server-secret-key",
    "DATABASE_URL": "postgresql://u:server-db-pw@h/d",
    "REDIS_URL": "redis://:server-redis-pw@h",
    "STUDIO_SMTP_URL": "smtp://u:server-smtp-pw@h",
    "STUDIO_TRACKING_SECRET": "server-tracking",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "AWS_SECRET_ACCESS_KEY": "server-aws-key",
    "HTTPS_PROXY": "http://u:server-proxy-pw@proxy",
}
SCRIPT = """
import base64, json, os, pathlib, sys, time, urllib.parse
print("NAMES", json.dumps(sorted(os.environ)))
for name, value in os.environ.items():
    sys.stdout.write(name + "=")
    sys.stdout.flush()
    for at in range(0, len(value), 7):
        sys.stdout.write(value[at:at + 7])
        sys.stdout.flush()
        time.sleep(0.001)
    print()
secret = os.environ["KEY"]
print("quoted", urllib.parse.quote(secret, safe=""), file=sys.stderr)
print("base64", base64.b64encode(b"user:" + secret.encode()).decode(), file=sys.stderr)
print(json.dumps(dict(os.environ)), repr(secret), file=sys.stderr)
pathlib.Path("got").write_text(secret)
while not os.path.exists("go"):
    time.sleep(0.02)
raise ValueError(secret)
"""


def eventually(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def running(workspace, make_sweep, now, tmp_path, settings, monkeypatch):
    """The spool of a command that has printed everything and waits for a file `go`."""
    settings.STUDIO_HOME = tmp_path
    for name, value in SERVER.items():
        monkeypatch.setenv(name, value)
    set_secret(workspace, "KEY", CANARY, None, now)
    set_secret(workspace, "OTHER", "not granted to this one", None, now)
    variables = {"KEY": "${{secrets.KEY}}", "MY_API_KEY": "written-out-key", "PLAIN": "visible"}
    sweep = make_sweep(environment_variables=variables)
    [trial, _] = sweeps.advance(sweep.pk, now).trials
    attempt = start(trial, now, tmp_path / "trials")
    spec = launch.with_run(launch.spec_of(attempt, TOKEN), "run")
    script = spec.cwd / "train.py"
    script.write_text(SCRIPT)
    runner = get_runner("local")
    handle = runner.start(spec)
    try:
        eventually(lambda: (spec.cwd / "got").exists())
        yield spec, handle, runner
    finally:
        (spec.cwd / "go").touch()
        runner.stop(handle, grace_s=0)
        eventually(lambda: isinstance(runner.poll([handle])[0], Ended))


def files(folder: Path) -> dict[str, str]:
    """What lies below a folder but for what the script itself wrote."""
    return {
        str(path): path.read_text(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("got", "secrets.key")
    }


def test_nothing_of_a_secret_is_on_the_disk_or_in_a_log(running, tmp_path):
    spec, handle, runner = running
    assert (spec.cwd / "got").read_text() == CANARY  # the script did get it
    record = json.loads((Path(handle) / spool.LAUNCH).read_text())
    assert (record["env"], record["secrets"]) == ({}, [])
    assert stat.S_IMODE((Path(handle) / spool.LAUNCH).stat().st_mode) == 0o600
    (spec.cwd / "go").touch()
    eventually(lambda: isinstance(runner.poll([handle])[0], Ended))
    out = (Path(handle) / spool.STDOUT).read_text()
    assert "KEY=***\n" in out
    assert "MLFLOW_TRACKING_TOKEN=***\n" in out
    assert "MY_API_KEY=***\n" in out
    assert "PLAIN=visible\n" in out
    for path, text in files(tmp_path).items():
        for hidden in ("canary", "second line", "Y2FuYXJ5", TOKEN, "written-out-key"):
            assert hidden not in text, path


def test_the_environment_is_what_was_granted_and_nothing_of_the_server(running):
    spec, handle, _runner = running
    eventually(lambda: "NAMES" in (Path(handle) / spool.STDOUT).read_text())
    names = json.loads((Path(handle) / spool.STDOUT).read_text().split("NAMES ")[1].split("\n")[0])
    assert not set(names) & set(SERVER)
    pid = json.loads((Path(handle) / spool.SHIM).read_text())["command_pid"]
    around = Path(f"/proc/{pid}/environ").read_text()
    for value in (*SERVER.values(), "not granted"):
        assert value not in around
    given = {name for name in names if not name.startswith(("AZUREML_", "STUDIO_", "SWEEP_"))}
    assert given <= set(spec.env) | {"LC_CTYPE"}


def test_arguments_of_no_process_hold_a_secret(running):
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            assert b"canary" not in words
            assert TOKEN.encode() not in words


def test_builds_and_git_get_nothing_of_the_server(monkeypatch, settings, tmp_path):
    settings.STUDIO_HOME = tmp_path
    for name, value in SERVER.items():
        monkeypatch.setenv(name, value)
    around = places.build_environment(launch.machine_environment())
    reaching = {name for name in around if name.upper().endswith("_PROXY")}
    assert not (set(around) & set(SERVER)) - reaching
    gits = git._environment(tmp_path)
    own = {name for name in gits if name.startswith("GIT_")} | {"PATH", "HOME", "LC_ALL"}
    assert set(gits) <= own
    assert not set(gits.values()) & set(SERVER.values())
    hidden = masks(passwords_in(around.values()))
    assert "server-proxy-pw" in hidden
