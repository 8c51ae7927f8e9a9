"""Runs when Python starts with this folder on PYTHONPATH: holds it up before its script.

See `sweeps.runners.warm`. Without a plan it stands aside for the interpreter's own
`sitecustomize`. It must not fail into the script: that one has not been asked for.
"""

import os
import sys

PLAN = "SWEEP_WARM_PLAN"


def _leave_path() -> None:
    here = os.path.dirname(__file__)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    sys.path_importer_cache.pop(here, None)


def _refuse(plan: str, reason: str) -> None:
    """Leave word for those who wait (see line.REFUSED): this interpreter cannot run the parent."""
    import json
    import time

    folder = json.loads(plan)["folder"]
    with open(os.path.join(folder, "refused.json"), "w", encoding="utf-8") as file:
        json.dump({"reason": reason, "at": time.time()}, file)


def _hold_up(plan: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever the studio's own is
        _refuse(plan, "Its Python is older than 3.11.")
        os._exit(1)
    # What is loaded before a script looks for anything, whatever lies beside it.
    known = frozenset(name.partition(".")[0] for name in sys.modules)
    root = __file__.rsplit("/", 5)[0]
    try:
        sys.path.insert(0, root)
        try:
            from sweeps.runners.warm import parent
        finally:
            sys.path.remove(root)
            sys.path_importer_cache.pop(root, None)
        parent.hold_up(plan, known)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


_leave_path()
if PLAN in os.environ:
    _hold_up(os.environ[PLAN])
# The interpreter's own, if it has one. ImportError with this name means to Python that there is
# none, as it does without us.
del sys.modules["sitecustomize"]
import sitecustomize  # noqa: E402, F401
