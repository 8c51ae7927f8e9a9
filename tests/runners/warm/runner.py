"""The local runner as it starts what it can warm: each command is what a forked script turns to."""

import os
import shutil
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from sweeps.runners.base import LaunchSpec, Warm
from sweeps.runners.local import LocalRunner

HOME = "WARM_CONTRACT_HOME"
TURN = Path(__file__).with_name("turn.py")


class WarmRunner(LocalRunner):
    """Every command that exists is started by a script that a warm parent has forked."""

    def start(self, spec: LaunchSpec) -> str:
        if not _may_start(spec):
            return super().start(spec)
        prefix = (sys.executable, "-B", str(TURN))
        env = dict(spec.env)
        key = uuid.uuid5(uuid.NAMESPACE_OID, repr(sorted(env.items()))).hex
        warm = Warm(key, Path(os.environ[HOME]), len(prefix), ("json",), env)
        handle = super().start(replace(spec, argv=(*prefix, *spec.argv), warm=warm))
        how = self.how(handle)
        assert how is None or how.warm, how.reason
        return handle


def _may_start(spec: LaunchSpec) -> bool:
    if not os.path.isdir(spec.cwd) or any("\0" in word for word in spec.argv):
        return False
    program = os.path.join(spec.cwd, spec.argv[0]) if "/" in spec.argv[0] else spec.argv[0]
    found = shutil.which(program, path=spec.env.get("PATH", os.defpath))
    return found is not None and Path(found).stat().st_size > 100  # no script without a first line
