"""Whether computes can be isolated on this machine: by trying it."""

import json
import os
import subprocess
import sys

from django.conf import settings

_PROGRAM = settings.BASE_DIR / "sweeps" / "runners" / "probe.py"
_LONGEST_S = 30.0
HOW = (
    "The studio needs rights to start commands as other users: run it as root, or, better, as a "
    "user of its own with these two lines in the [Service] part of its systemd unit: "
    "User=sweep-studio and AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN "
    "CAP_FOWNER CAP_DAC_OVERRIDE. docs/operations.md has the whole unit."
)


def problems(python: str) -> list[str]:
    """What is in the way of running commands as another user with this interpreter ("": the
    studio's own), each in a sentence; none when that was tried and went well."""
    # No workspace's: the interpreter is whatever an owner of one names.
    _, last = settings.STUDIO_ISOLATED_UIDS
    home, program = str(settings.STUDIO_HOME), python or sys.executable
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_PROGRAM), str(last), home, program],
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            cwd="/",
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        )
        found: list[str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ["It could not be tried on this machine.", HOW]
    lacks = any("CAP_" in text for text in found)
    return [*found, HOW] if lacks else found
