"""Installing what tests need and this machine lacks."""

import os
import subprocess


def try_to(command: list[str]) -> None:
    """Run it, and say how it went wrong if it does: whoever asked looks what there is then."""
    print("+", " ".join(command), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        print(f"did not work: {(done.stderr or done.stdout).strip()[-300:]}", flush=True)
