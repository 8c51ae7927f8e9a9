"""`python -m tests.security.unpacking FOLDER`: unpack each archive in it, and say at what cost.

A process of its own, so that its memory is what unpacking takes. One line of JSON each: the file's
name, what was said, seconds of the processor, MiB that the process has had at most.
"""

import json
import sys
import time
from pathlib import Path

from sweeps.domain.problems import InvalidInput
from sweeps.stores.snapshots import snapshot_archive


def main() -> None:
    folder = Path(sys.argv[1])
    for path in sorted((folder / "in").iterdir()):
        began = time.process_time()
        try:
            with path.open("rb") as file:
                snapshot_archive(folder / "kept", file, path.name.partition(" ")[2])
            said = ""
        except InvalidInput as error:
            said = error.problems[0].message
        peak = _peak()
        print(json.dumps([path.name, said, time.process_time() - began, peak]), flush=True)


def _peak() -> int:
    """As the kernel has it of this program: `getrusage` counts who started it, too."""
    [line] = [
        text for text in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in text
    ]
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
