"""S12: what a hostile trial can do to a studio, isolated and not, on a studio that runs.

The same program runs on both kinds of compute, so that what it is denied on one is shown to be
there to get on the other.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.jobs import job
from tests.e2e.studios import CHECKOUT, Studio, manage, until
from tests.isolated import IS_ROOT, UID, open_folder, open_python
from tests.runners.processes import pids_with

PROBES = Path(__file__).with_name("hostile") / "probes.py"
OTHER = """
import os, time
open(os.environ["SWEEP_OUTPUT_DIR"] + "/secret.txt", "w").write("secret")
print("of the other", flush=True)
time.sleep(600)
"""
MARK = f"isolated-{os.getpid()}"
# What keeps a program that runs as the studio's user from something: the gateway, that asks for a
# token of the very run, the tracking server's secret (which it can read), and closed descriptors.
DENIED_ANYWAY = {
    "write another run",
    "ask the tracking server directly",
    "keep a descriptor of the studio's",
}


class Team:
    """A workspace of a studio, asked as its owner."""

    def __init__(self, studio: Studio, name: str, token: str) -> None:
        self.studio, self.name, self.token = studio, name, token

    def ask(self, method: str, path: str, **more: Any) -> Any:
        url = f"/api/v1/workspaces/{self.name}/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.studio._http.request(method, url, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def isolate(self, name: str, is_isolated: bool = True) -> None:
        change = {"isolated": is_isolated, "python": open_python()}
        assert self.ask("PATCH", f"computes/{name}", json=change)["isolated"] is is_isolated

    def run(self, code: Path, command: str, **more: Any) -> str:
        doc = job(command, trials=1, at_once=1, **more)
        doc["trial"]["code"] = str(code)
        return str(self.ask("POST", "sweeps", json=doc)["name"])

    def trials(self, sweep: str) -> list[str]:
        return [one["status"] for one in self.ask("GET", f"sweeps/{sweep}/trials")["items"]]

    def log(self, sweep: str) -> str:
        return str(self.ask("GET", f"sweeps/{sweep}/trials/0/logs/stdout"))


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def studio(place: Path) -> Iterator[Studio]:
    made = Studio(place / "home", slots=3, STUDIO_ISOLATED_UIDS=f"{UID}-{UID + 20}")
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def victim(studio: Studio) -> Team:
    """Another workspace, with data and a trial that runs."""
    team = Team(studio, "default", studio.token)
    answer = studio._http.post(
        "/api/v1/workspaces",
        json={"name": "victim"},
        headers={"Authorization": f"Bearer {studio.token}"},
    )
    assert answer.status_code == 201, answer.text
    words = ("token", "--workspace", "victim", "--role", "owner")
    team = Team(studio, "victim", manage(studio.home, studio.port, *words).stdout.strip())
    team.isolate("local")
    return team


def code_of(place: Path, name: str, config: Mapping[str, Any] | None = None) -> Path:
    folder = place / name
    folder.mkdir()
    text = PROBES.read_text() if config else OTHER
    (folder / "probes.py").write_text(text)
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    # Whatever the umask: isolated computes take what every user may read.
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return folder


def attempt_of(studio: Studio, sweep: str) -> dict[str, Any]:
    """Where a running trial of it lies, and its process."""
    [row] = studio.rows(
        "SELECT a.spool AS spool, a.run_id AS run, c.digest AS code FROM sweeps_attempt a"
        " JOIN sweeps_trial t ON t.id = a.trial_id"
        " JOIN sweeps_sweep s ON s.id = t.sweep_id"
        " JOIN sweeps_codesnapshot c ON c.id = s.code_id WHERE s.name = ?",
        sweep,
    )
    found = {name: row[name] for name in row.names}
    found["pid"] = json.loads(Path(found["spool"], "shim.json").read_text())["command_pid"]
    return found


def everything_of(studio: Studio, other: Mapping[str, Any], data: str) -> dict[str, Any]:
    """What the hostile trial is told: more than it could find out."""
    python = Path(sys.executable)
    return {
        "home": str(studio.home),
        "port": studio.port,
        "ports": [studio.port, *_ports(studio.pid_of("tracking"))],
        "pids": {name: studio.pid_of(name) for name in ("web", "queue", "engine", "tracking")},
        "other": other,
        "code": other["code"],
        "data": data,
        "poison": [
            str(CHECKOUT),
            str(CHECKOUT / "sweeps"),
            str(python.parent),
            "/root",
            os.__file__,
        ],
        "mark": MARK,
    }


def _ports(pid: int) -> list[int]:
    """Ports on which a process listens."""
    sockets = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        int(row[1].split(":")[1], 16)
        for row in rows
        if row[3] == "0A" and f"socket:[{row[9]}]" in sockets
    ]


def answers(team: Team, code: Path, own: str) -> tuple[str, dict[str, Any]]:
    """Run the hostile trial to its end; the sweep, and what it says."""
    inputs = {"own": {"type": "uri_file", "path": own}}
    sweep = team.run(code, "python3 probes.py ${{inputs.own}}", inputs=inputs)

    def ended() -> bool:
        return team.ask("GET", f"sweeps/{sweep}")["status"] in ("Completed", "Failed")

    until(ended, "the end of the hostile trial", 60)
    text = team.log(sweep)
    assert text.startswith("{"), team.ask("GET", f"sweeps/{sweep}/trials/0/logs/stderr")
    return sweep, json.loads(text)


if IS_ROOT:

    @pytest.mark.timeout(180)  # a studio's start on a busy machine
    def test_a_hostile_trial_gets_nothing_where_it_is_isolated_and_much_where_it_is_not(
        studio: Studio, victim: Team, place: Path
    ) -> None:
        running = victim.run(code_of(place, "innocent"), "python3 probes.py")
        until(lambda: victim.trials(running) == ["Running"], "the victim's trial", 30)
        until(lambda: "of the other" in victim.log(running), "its first word", 30)
        stolen = victim.ask("POST", "data", files={"file": ("secret.csv", b"secret")})["path"]
        team = Team(studio, "default", studio.token)
        own = team.ask("POST", "data", files={"file": ("own.csv", b"own")})["path"]
        config = everything_of(studio, attempt_of(studio, running), stolen)
        code = code_of(place, "hostile", config)

        team.isolate("local")
        sweep, isolated = answers(team, code, own)
        assert {name for name, worked in isolated["found"].items() if worked} == set()
        assert len(isolated["found"]) >= 20
        assert isolated["uid"] not in (0, _uid_of(config["other"]["pid"]))
        assert (isolated["logged"], isolated["input"]) == (200, "own")
        assert pids_with(MARK) == set()
        _check_leftovers(studio, team, sweep, isolated["uid"])

        team.isolate("local", is_isolated=False)
        _sweep, plain = answers(team, code, own)
        assert {name for name, worked in plain["found"].items() if worked is not True} == (
            DENIED_ANYWAY
        )
        victim.ask("POST", f"sweeps/{running}/cancel")
        Path(f"/dev/shm/{MARK}{plain['uid']}").unlink()


def _uid_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}").st_uid


def _check_leftovers(studio: Studio, team: Team, sweep: str, uid: int) -> None:
    """What it left is its own, and what the studio took from it is what it may give."""
    assert not Path(f"/dev/shm/{MARK}{uid}").exists()
    items = team.ask("GET", f"sweeps/{sweep}/trials/0/artifacts/outputs")["items"]
    assert [item["path"] for item in items] == ["outputs/good.txt"]
    kept = next((studio.home / "artifacts").rglob("good.txt"))
    assert (kept.stat().st_uid, kept.stat().st_nlink) == (os.geteuid(), 1)
    assert kept.stat().st_mode & 0o7777 == 0o600
    spool = Path(
        studio.rows("SELECT spool FROM sweeps_attempt ORDER BY id DESC LIMIT 1")[0]["spool"]
    )
    until(lambda: not (spool / "tmp").exists(), "the removal of its temporary files", 10)
