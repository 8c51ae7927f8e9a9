"""What the parts are forked from: everything imported, nothing open, one thread."""

import subprocess
import sys
from pathlib import Path

from django.test import override_settings

from studio.parts import parts
from sweeps.queries import health
from tests.e2e.studios import CHECKOUT, environment

CODE = """
import os, sys, django
django.setup()
from studio import bootstrap
from studio.parts import prepare_others, prepare_web
bootstrap.migrate()
prepare_web()
print(len(os.listdir("/proc/self/task")), "hyperopt" in sys.modules)
prepare_others()
places = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
files = [os.readlink(place) for place in places if os.path.lexists(place)]
print(len(os.listdir("/proc/self/task")))
print([name for name in files if name.startswith(os.environ["STUDIO_HOME"])])
print([name for name in ("sweeps.engine.loop", "sweeps.tasks", "sweeps.gateway.views", "hyperopt",
                         "gunicorn.arbiter", "studio.web") if name not in sys.modules])
"""


def test_whoever_forks_has_one_thread_no_connection_and_all_imports(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=CHECKOUT, env=environment(tmp_path, 1), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["1 False", "1", "[]", "[]"]


def test_parts_that_web_knows_from_rows_are_marked(tmp_path: Path) -> None:
    with override_settings(TRACKING_SECRET_FILE=tmp_path / "secret"):
        seen = {part.name: part.seen_in_rows for part in parts(1, [])}
    told = health.without_database()
    assert set(seen) == told.keys() - {"database"}
    assert {name for name, is_seen in seen.items() if is_seen} == {"engine", "queue"}
