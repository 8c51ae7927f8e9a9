"""The local runner as it runs what is isolated: every command as a user without an account."""

import os
import shutil
import sys
from dataclasses import replace

from sweeps.runners.base import LaunchSpec, RunAs
from sweeps.runners.local import LocalRunner
from tests.isolated import UID, open_python
from tests.runners.contract import HOSTILE


class IsolatedRunner(LocalRunner):
    """What the contract's commands need, that user may reach."""

    def start(self, spec: LaunchSpec) -> str:
        folder = spec.spool.parent
        hostile = folder / HOSTILE.name
        if str(HOSTILE) in spec.argv and not hostile.exists():
            shutil.copyfile(HOSTILE, hostile)
            hostile.chmod(0o644)
        for path in [folder, *folder.iterdir()]:
            if not path.is_dir() or path == folder:
                os.chown(path, UID, UID)
        words = [
            word.replace(str(HOSTILE), str(hostile)).replace(sys.executable, open_python())
            for word in spec.argv
        ]
        return super().start(replace(spec, argv=tuple(words), user=RunAs(UID, UID)))
