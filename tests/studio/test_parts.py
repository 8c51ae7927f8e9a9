"""What the parts are forked from: everything imported, nothing open, one thread."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.studios import CHECKOUT, environment

CODE = """
import os, sys, django
django.setup()
from studio import bootstrap
from studio.parts import prepare
bootstrap.migrate()
prepare()
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
    assert done.stdout.splitlines() == ["1", "[]", "[]"]
