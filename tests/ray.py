"""A real Ray cluster for tests: brought by pip, a head and two workers as processes of ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.bringing import try_to
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[1]
# Without links in its path: Ray clones the environment for jobs with packages, and finds no other.
ENVIRONMENT = (ROOT / ".venv").resolve() / "ray"
PROGRAM = ENVIRONMENT / "bin" / "ray"
REQUIREMENTS = ROOT / "requirements-ray.txt"
WORKERS = ("one", "two")
# A busy machine starts nodes slowly; and a node that went is missed after five seconds.
_HASTE = {"RAY_raylet_start_wait_time_s": "150", "RAY_health_check_period_ms": "1000"}
# The least that Ray takes for a node's store of objects, which trials do not use.
_STORE = 80_000_000


def find_ray() -> bool:
    """Whether the Ray of the tests is on this machine."""
    return PROGRAM.exists()


def bring_ray() -> bool:
    """Ray, installed if that can be done here; False where nothing works."""
    if not find_ray():
        try_to([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q", "-r"]
        try_to([*pip, str(REQUIREMENTS)])
    return find_ray()


@dataclass
class Cluster:
    """A head without CPUs, and workers with one each."""

    home: Path
    gcs: int = field(default_factory=free_port)
    dashboard: int = field(default_factory=free_port)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the dashboard answers."""
        return f"http://127.0.0.1:{self.dashboard}"

    def start(self) -> None:
        """Start head and workers, and wait until all are there."""
        self.start_head()
        for count, name in enumerate(WORKERS, 2):
            self.start_worker(name)
            self.wait_for(count)  # two at once on one machine are in each other's way

    def start_head(self) -> None:
        """The head, on the ports that it had before; a cluster without any worker."""
        self._run(
            "head", "--head", f"--port={self.gcs}", "--num-cpus=0",
            f"--ray-client-server-port={free_port()}",
            "--dashboard-host=127.0.0.1", f"--dashboard-port={self.dashboard}",
            f"--temp-dir={self.home}",
        )  # fmt: skip
        _until(self.answers, "the head", self)

    def start_worker(self, name: str) -> None:
        """A node of one CPU, and of a resource that is called like it."""
        own = f'--resources={{"{name}": 1}}'
        self._run(name, f"--address=127.0.0.1:{self.gcs}", "--num-cpus=1", own)

    def kill(self, name: str) -> None:
        """SIGKILL a node, its daemons and all that its daemon started."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Stop all: workers first, then the head."""
        for name in [*WORKERS, "head"]:
            if name in self.processes:
                self.kill(name)

    def answers(self) -> bool:
        """Whether the dashboard answers."""
        return self.get("/api/version") is not None and self.get("/api/jobs/") is not None

    def get(self, path: str) -> "httpx.Response | None":
        """An answer of the dashboard; None where there is none."""
        try:
            answer = httpx.get(self.address + path, timeout=10, trust_env=False)
        except httpx.TransportError:
            return None
        return answer if answer.is_success else None

    def nodes(self) -> int:
        """How many nodes are alive."""
        answer = self.get("/api/v0/nodes")
        rows = answer.json()["data"]["result"]["result"] if answer else []
        return sum(row["state"] == "ALIVE" for row in rows)

    def wait_for(self, nodes: int, seconds: float = 180.0) -> None:
        """Wait until so many nodes are alive."""
        _until(lambda: self.nodes() == nodes, f"{nodes} nodes", self, seconds)

    def live_jobs(self) -> list[str]:
        """Jobs that wait or run."""
        answer = self.get("/api/jobs/")
        rows = answer.json() if answer else []
        return [row["submission_id"] for row in rows if row["status"] in ("PENDING", "RUNNING")]

    def told(self) -> str:
        """The ends of its logs, for when it does not start."""
        return "\n".join(f"{p}:\n{p.read_text()[-1500:]}" for p in self.home.glob("*.txt"))

    def _run(self, name: str, *words: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "STUDIO_"))}
        path = f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"
        with (self.home / f"{name}.txt").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [
                    str(PROGRAM), "start", "--block", f"--object-store-memory={_STORE}",
                    "--dashboard-agent-listen-port=0", "--disable-usage-stats", *words,
                ],
                env={**kept, "PATH": path, **_HASTE},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                start_new_session=True,
            )  # fmt: skip


def _until(probe: Callable[[], bool], what: str, cluster: Cluster, seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"Waited in vain for {what}.\n{cluster.told()}"
        time.sleep(0.1)


@contextmanager
def ray(home: Path) -> Iterator[Cluster]:
    """A cluster for the time of a block."""
    cluster = Cluster(home)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()
