"""A real studio in a folder of its own: started, asked over REST, hurt, stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

from studio.supervisor.home import free_port
from tests.e2e import stores

CHECKOUT = Path(__file__).resolve().parents[2]
FINAL = ("Completed", "Failed", "Canceled")
T = TypeVar("T")
# Without byte code each start would compile everything anew, as no user's does.
_NOT_A_PERSONS = ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")


def until(probe: Callable[[], T | None], what: str, seconds: float) -> T:
    """The first true answer of `probe`; raises AssertionError with `what` if none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := probe():
            return answer
        assert time.monotonic() < deadline, f"Waited {seconds:g} s in vain for {what}."
        time.sleep(0.1)


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """What a person's shell would hold, and where this studio lives."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STUDIO_", "DJANGO_"))}
    return {
        **{k: v for k, v in kept.items() if k not in _NOT_A_PERSONS},
        "DJANGO_SETTINGS_MODULE": "studio.settings",
        "STUDIO_HOME": str(home),
        "STUDIO_PORT": str(port),
        **more,
    }


def manage(home: Path, port: int, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A management command, run to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env=environment(home, port, **more),
        capture_output=True,
        text=True,
        timeout=50,
    )


class Studio:
    """`manage.py studio` on `home`; `slots` is given to its compute after the first start."""

    def __init__(self, home: Path, slots: int = 4, **more: str) -> None:
        self.home, self.port, self._slots = home, free_port(), slots
        self.url = f"http://127.0.0.1:{self.port}"
        # What one of several hosts keeps for itself.
        self.own = home / "hosts" / more["STUDIO_NODE"] if "STUDIO_NODE" in more else home
        self.log = self.own / "studio.log"
        self._more = more
        self.database = more.get("DATABASE_URL") or home / "studio.db"
        self.refused: list[str] = []
        self._read = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""
        self._http = httpx.Client(base_url=self.url, timeout=30)

    def start(self, *words: str, seconds: float = 90) -> None:
        """Start it, wait until every part is up, and make a token the first time."""
        self.own.mkdir(parents=True, exist_ok=True)
        announced = self._announced()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "studio", *words],
                cwd=CHECKOUT,
                env=environment(self.home, self.port, **self._more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Not by /healthz: what an earlier start left could answer it.
        what = f"a ready studio; its log: {self.log}"
        until(lambda: self._announced() > announced, what, seconds)
        if not self.token:
            words = ("token", "--workspace", "default", "--role", "owner")
            made = manage(self.home, self.port, *words, **self._more)
            assert made.returncode == 0, made.stderr
            self.token = made.stdout.strip()
            self.set_slots(self._slots)

    def _announced(self) -> int:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"The studio has ended: {self.log.read_text()[-2000:]}")
        return self.log.read_text().count("studio   | ready:") if self.log.exists() else 0

    def news(self) -> str:
        """What the log says since this was asked last."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        return text.decode(errors="replace")

    def wait_healthy(self, seconds: float = 90) -> None:
        """Return when /healthz says that all is well."""

        def well() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            try:
                return self._http.get("/healthz", timeout=3).status_code == 200
            except httpx.TransportError:
                return False

        until(well, f"a healthy studio; its log: {self.log}", seconds)

    def set_slots(self, slots: int) -> None:
        """How many trials run at once on the default compute, whatever the machine has."""
        stores.write(self.database, "UPDATE studio_compute SET slots = ?", slots)

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Stop it as Ctrl-C does; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=seconds)
        self.process = None
        return code

    def close(self) -> None:
        """Stop it if it runs, and let go of the connections to it."""
        if self.process is not None and self.process.poll() is None:
            assert self.stop() == 0
        self._http.close()

    def pid_of(self, part: str) -> int:
        """The pid of a part."""
        return int(json.loads((self.own / "processes.json").read_text())[part]["pid"])

    def kill(self, part: str) -> None:
        """kill -9 of one part; returns once the supervisor has put another in its place."""
        old = self.pid_of(part)
        os.kill(old, signal.SIGKILL)

        def replaced() -> bool:
            try:
                return self.pid_of(part) != old
            except KeyError:
                return False

        until(replaced, f"another {part}", 20)

    # --- REST ---------------------------------------------------------------------------------
    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request under /api/v1/workspaces/default; asked again while web is not there."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        url = f"/api/v1/workspaces/default/{path}"
        for _ in range(100):
            try:
                answer = self._http.request(method, url, headers=headers, **more)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code >= 500:
                self.refused.append(f"{answer.status_code} {method} {url}")
            return answer
        raise AssertionError(f"{url} cannot be reached.")

    def get(self, path: str) -> Any:
        """The JSON of a page that must be there."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, job: Mapping[str, Any]) -> str:
        """Submit a job; returns the sweep's name."""
        answer = self.ask("POST", "sweeps", json=job)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["name"])

    def submit_files(self, spec: bytes, code: bytes) -> str:
        """Submit a job file with a zip of its code."""
        files = {"spec": ("job.yml", spec), "code": ("code.zip", code)}
        answer = self.ask("POST", "sweeps", files=files)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["name"])

    def wait_final(self, name: str, seconds: float = 120) -> dict[str, Any]:
        """The sweep once it has ended."""

        def ended() -> dict[str, Any] | None:
            found = self.get(f"sweeps/{name}")
            return found if found["status"] in FINAL else None

        return until(ended, f"the end of {name}; the log: {self.log}", seconds)

    def trials(self, name: str) -> list[dict[str, Any]]:
        """All trials of a sweep, by number."""
        return list(self.get(f"sweeps/{name}/trials?limit=1000")["items"])

    def wait_running(self, name: str, count: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """Trials of the sweep, once so many run."""

        def running() -> list[dict[str, Any]] | None:
            found = [t for t in self.trials(name) if t["status"] == "Running"]
            return found if len(found) >= count else None

        return until(running, f"{count} running trials of {name}", seconds)

    def rows(self, query: str, *values: Any) -> list[stores.Row]:
        """Rows of the studio's database, read past the API; `?` stands for a value."""
        return stores.read(self.database, query, *values)

    read_file = staticmethod(stores.read)

    def runs(self, query: str, *values: Any) -> list[stores.Row]:
        """Rows of MLflow's store."""
        return stores.read(self.home / "mlflow.db", query, *values)
