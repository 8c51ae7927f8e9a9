"""A test run leaves no folders behind."""

import os
import subprocess
import sys
from pathlib import Path

# A fork that ends first takes nothing away from the others.
_PROGRAM = """
import os, sys, tests.settings as settings
child = os.fork()
if not child:
    sys.exit()
os.waitpid(child, 0)
print(settings.STUDIO_HOME, settings.STUDIO_HOME.is_dir())
"""


def test_the_home_of_a_test_run_goes_with_it(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "STUDIO_HOME"}
    environ["TMPDIR"] = str(tmp_path)
    command = [sys.executable, "-c", _PROGRAM]
    told = subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout
    home, was_there = told.split()
    assert was_there == "True"
    assert tmp_path in Path(home).parents
    assert list(tmp_path.iterdir()) == []
