"""Scripts for tests of the parent, and what these need to know of it."""

from pathlib import Path

from sweeps.runners.base import EndedBy, Warm
from tests.runners.contract import stdout
from tests.runners.processes import state_and_parent, wait_for
from tests.runners.warm.stage import WITHIN_S, Case, Stage

LASTING = Case(
    "lasting", "import os, time\nprint('up', flush=True)\nwhile not os.path.exists('go'):\n"
    "    time.sleep(0.01)\nprint('end')", imports=("json",),
)  # fmt: skip
QUICK = Case("quick", "print('done')", imports=("json",))


def gone(pid: int) -> None:
    wait_for(lambda: state_and_parent(pid)[0] in ("gone", "Z"), f"the end of {pid}", WITHIN_S)


def with_lib(tmp_path: Path, text: str, name: str = "lib") -> Case:
    """A script that imports a package of its own, which its parent can find too."""
    (tmp_path / f"{name}.py").write_text(text)
    script = f"import {name}\nprint({name}.X)"
    return Case("lib", script, env={"PYTHONPATH": str(tmp_path)}, imports=(name,))


def parent_of(stage: Stage, case: Case) -> Warm:
    warm = stage.spec(case, True).warm
    assert isinstance(warm, Warm)
    return warm


def started(stage: Stage, case: Case) -> str:
    """Start it warm and wait until it says so."""
    stage.lay(case)
    handle = stage.runner.start(stage.spec(case, True))
    wait_for(lambda: "up" in stdout(handle), "the script", WITHIN_S)
    return handle


def let_end(stage: Stage, handle: str) -> str:
    """Let a lasting script end well; what it said."""
    (stage.work / "go").touch()
    result = stage.end(handle)
    assert (result.ended_by, result.exit_code) == (EndedBy.EXIT, 0)
    return stdout(handle)


# A module that goes on after this only where no script runs.
IN_PARENT = "import __main__, os, time\nX = 1\nif not hasattr(__main__, '__file__'): "


def importing(folder: Path) -> int:
    """The parent whose environment has this folder."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if b"SWEEP_WARM_PLAN" in (text := path.read_bytes()) and bytes(folder) in text:
                return int(path.parent.name)
        except OSError:
            continue
    raise AssertionError("There is none.")
