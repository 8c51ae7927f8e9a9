"""A carrier from its package, in a bare interpreter, against a desk that may be out of reach."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sweeps.runners import attempts, spool
from sweeps.runners.base import EndedBy, Result
from sweeps.runners.relay import desk, keys, line, package
from tests import relay_server
from tests.runners.contract import launch
from tests.runners.processes import pids_with, wait_for

TICKET = "the ticket of the job"
Go = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[relay_server.Relay]:
    with relay_server.relay(tmp_path / "keys") as found:
        yield found


@pytest.fixture
def code(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    (made / "sub").mkdir(parents=True)
    (made / "train.py").write_text("print('trained')\n")
    (made / "sub" / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (made / "sub" / "run.sh").chmod(0o755)
    return made


@pytest.fixture
def unpacked(tmp_path: Path, code: Path) -> Path:
    """The package, as an engine unpacks it: modes are lost."""
    package.write(str(tmp_path / "package.zip"), code)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        archive.extractall(tmp_path / "node")
    return tmp_path / "node"


@pytest.fixture
def go(tmp_path: Path, server: relay_server.Relay, unpacked: Path) -> Iterator[Go]:
    """Hands an attempt in and starts its carrier."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, lease_s: float = 60.0, lent: tuple[str, ...] = (), **more: object):
        folder = tmp_path / "spool"
        if not folder.exists():
            spec = launch(folder, *argv, **{"cwd": folder / "work", **more})
            relay = {
                "ticket": desk.fingerprint(TICKET), "key": "a" * 32, "keys": str(server.folder),
                "spool": str(folder), "lease_s": lease_s, "python": "", "lent": list(lent),
                "machine": ["PATH"], "files": 100, "size": 10**6,
            }  # fmt: skip
            (folder / "outputs" / "model").mkdir(parents=True)
            (folder / "params.json").write_text('{"lr": 0.1}')
            assert attempts.claim(spec, str(folder), relay=relay)
            keys.put(str(server.folder), "a" * 32, str(folder))
        (tmp_path / "tmp").mkdir(exist_ok=True)
        words = [sys.executable, "-I", "-S", package.ENTRY, server.url, "a" * 32, TICKET]
        env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "tmp"), "SECRET": "of the node"}
        started.append(subprocess.Popen(words, cwd=unpacked, env=env, stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def result(tmp_path: Path) -> Result | None:
    return spool.read_result(str(tmp_path / "spool"))


def out(tmp_path: Path) -> str:
    path = tmp_path / "spool" / "stdout.log"
    return path.read_text() if path.exists() else ""


def told(carrier: "subprocess.Popen[bytes]") -> bytes:
    assert carrier.stderr is not None
    return carrier.stderr.read()


def test_a_command_finds_code_inputs_and_places_for_outputs(go: Go, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1,2\n")
    there = tmp_path / "spool"
    script = (
        "python train.py; sub/run.sh; cat $PARAMS; cat $DATA; pwd; env | grep SECRET; "
        "echo m > $OUT/m.bin; mkdir -p outputs/deep; echo w > outputs/deep/w"
    )
    env = {
        "PARAMS": f"{there}/params.json", "DATA": str(data), "OUT": f"{there}/outputs/model",
    }  # fmt: skip
    carrier = go("sh", "-c", script, env=env, lent=(str(data),))
    assert carrier.wait(30) == 0
    ended = result(tmp_path)
    assert ended is not None
    assert (ended.ended_by, ended.exit_code, ended.message) == (EndedBy.EXIT, 0, "")
    lines = out(tmp_path).split("\n")
    assert lines[:2] == ["trained", "ran"]
    assert json.loads(lines[2][: lines[2].index("}") + 1]) == {"lr": 0.1}
    assert "1,2" in out(tmp_path)
    assert str(tmp_path / "tmp") in out(tmp_path)
    assert "of the node" not in out(tmp_path)
    assert (there / "outputs" / "model" / "m.bin").read_text() == "m\n"
    assert (there / "work" / "outputs" / "deep" / "w").read_text() == "w\n"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_second_carrier_leaves(go: Go, tmp_path: Path) -> None:
    first = go("sh", "-c", "echo ran; sleep 2")
    wait_for(lambda: out(tmp_path) == "ran\n", "the command")
    second = go()
    assert second.wait(20) == 0
    assert b"does not want this job to run" in told(second)
    assert first.wait(20) == 0
    assert out(tmp_path) == "ran\n"


def test_a_studio_that_is_away_for_a_while_costs_nothing(
    go: Go, server: relay_server.Relay, tmp_path: Path
) -> None:
    carrier = go("sh", "-c", "echo one; sleep 1; echo two; exit 7")
    wait_for(lambda: out(tmp_path) == "one\n", "the command")
    server.away = True
    with pytest.raises(subprocess.TimeoutExpired):
        carrier.wait(3)
    assert result(tmp_path) is None
    server.away = False
    assert carrier.wait(20) == 0
    ended = result(tmp_path)
    assert ended is not None
    assert (ended.exit_code, out(tmp_path)) == (7, "one\ntwo\n")


def test_a_machine_that_is_cut_off_for_longer_than_the_lease_ends_its_command(
    go: Go, server: relay_server.Relay, tmp_path: Path
) -> None:
    carrier = go("sleep", "600.125", lease_s=2.0, grace_s=0.5)
    wait_for(lambda: pids_with("600.125"), "the command")
    server.away = True
    assert carrier.wait(30) == 1
    assert pids_with("600.125") == set()
    assert result(tmp_path) is None


def test_an_attempt_that_was_given_up_is_ended_at_once(go: Go, tmp_path: Path) -> None:
    carrier = go("sleep", "600.375", grace_s=0.5)
    wait_for(lambda: pids_with("600.375"), "the command")
    attempts.lost(str(tmp_path / "spool"), "its node was thought to be dead")
    assert carrier.wait(20) == 0
    assert pids_with("600.375") == set()


def test_a_carrier_that_is_killed_takes_its_command_with_it(go: Go, tmp_path: Path) -> None:
    carrier = go("sleep", "600.625", grace_s=0.5)
    wait_for(lambda: pids_with("600.625"), "the command")
    carrier.kill()
    wait_for(lambda: not pids_with("600.625"), "the command's end")


def test_a_shim_that_is_killed_is_told_as_lost(go: Go, tmp_path: Path) -> None:
    go("sleep", "600.875", grace_s=0.5)
    folder = str(tmp_path / "spool")
    shim = wait_for(lambda: (spool.read(folder, spool.SHIM) or {}).get("command_pid") and
                    spool.read(folder, spool.SHIM), "the shim")  # fmt: skip
    os.kill(shim["pid"], signal.SIGKILL)
    ended = wait_for(lambda: result(tmp_path), "the result")
    assert ended.ended_by is EndedBy.LOST
    assert pids_with("600.875") == set()


def test_a_signal_to_all_of_the_job_is_told_as_lost(go: Go, tmp_path: Path) -> None:
    carrier = go("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done", grace_s=0.5)
    wait_for(lambda: out(tmp_path) == "up\n", "the command")
    shim = spool.read(str(tmp_path / "spool"), spool.SHIM)
    assert shim is not None
    for pid in (carrier.pid, shim["pid"]):
        os.kill(pid, signal.SIGTERM)
    assert carrier.wait(20) == 0
    ended = result(tmp_path)
    assert ended is not None
    assert ended.ended_by is EndedBy.LOST


def test_a_command_that_is_told_to_stop_before_it_starts_never_does(go: Go, tmp_path: Path) -> None:
    go_later = {"grace_s": 1.0, "reason": "canceled by ada"}
    (tmp_path / "spool").mkdir()
    spool.write(str(tmp_path / "spool"), spool.STOP, go_later)
    (tmp_path / "spool").rename(tmp_path / "kept")
    carrier = go("sh", "-c", "echo ran")
    carrier.send_signal(signal.SIGSTOP)
    (tmp_path / "kept" / spool.STOP).rename(tmp_path / "spool" / spool.STOP)
    carrier.send_signal(signal.SIGCONT)
    assert carrier.wait(20) == 0
    ended = result(tmp_path)
    assert ended is not None
    assert (ended.ended_by, out(tmp_path)) == (EndedBy.STOPPED, "")


def test_more_outputs_than_there_may_be_stay_and_are_told(go: Go, tmp_path: Path) -> None:
    carrier = go("sh", "-c", "head -c 900000 /dev/zero > outputs/a; cp outputs/a outputs/b")
    assert carrier.wait(20) == 0
    ended = result(tmp_path)
    assert ended is not None
    assert "Outputs beyond 100 files or 0 MiB stayed on the machine" in ended.message
    assert len(list((tmp_path / "spool" / "work" / "outputs").iterdir())) == 1


def test_a_studio_that_is_never_reached_is_told_in_the_jobs_log(
    go: Go, server: relay_server.Relay, unpacked: Path
) -> None:
    source = unpacked / "sweeps/runners/relay/line.py"
    source.write_text(source.read_text().replace(f"CLAIM_S = {line.CLAIM_S}", "CLAIM_S = 1.0"))
    server.away = True
    carrier = go("true")
    assert carrier.wait(20) == 1
    assert server.url.encode() in told(carrier)


def test_the_same_content_makes_the_same_package(tmp_path: Path, code: Path) -> None:
    for name in ("a", "b"):
        package.write(str(tmp_path / name), code)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert package.digest_of("1") != package.digest_of("2")
