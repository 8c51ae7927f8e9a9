"""Proving that a compute works: a real command, run as trials are."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from studio.models import Compute
from sweeps.domain.problems import InvalidInput
from sweeps.engine import far, isolation
from sweeps.engine.cluster_test import cluster_step, waited
from sweeps.engine.launch import (
    base_environment,
    interpreter,
    machine_environment,
    with_secrets,
)
from sweeps.engine.places import is_here, options_of, place_of, shares_files
from sweeps.queries.clock import database_now
from sweeps.runners.base import Ended, LaunchSpec, Lost, RunnerError
from sweeps.runners.registry import get_runner
from sweeps.runners.results import EndedBy
from sweeps.services.computes import record_test
from sweeps.stores.trash import throw_away

LIMIT_S = 60.0
_LOOK_S = 0.1
_SAYS = "sweep-studio compute test: "
# Run by the compute's own Python, so it speaks the oldest dialect that may be there.
_PROBE = f"""
import json, sys, time
found = {{"python": sys.version.split()[0], "executable": sys.executable}}
try:
    import mlflow
    found["mlflow"] = mlflow.__version__
except Exception as error:
    found["mlflow_error"] = "%s: %s" % (type(error).__name__, error)
if sys.argv[1:]:
    import urllib.error, urllib.request
    found["address"] = sys.argv[1]
    try:
        urllib.request.urlopen(sys.argv[1], timeout=10)
    except urllib.error.HTTPError:
        pass  # it answers, though not all of it is well
    except Exception as error:
        found["unreached"] = "%s: %s" % (type(error).__name__, error)
time.sleep(1)
print({_SAYS!r} + json.dumps(found))
"""

Step = dict[str, Any]
Report = Callable[[list[Step]], None]


def _step(name: str, ok: bool, detail: str) -> Step:
    return {"name": name, "ok": ok, "detail": detail}


def test(compute_id: int) -> None:
    """Run the probe on a compute and keep what it shows, if it is still there."""
    compute = Compute.objects.select_related("workspace").filter(pk=compute_id).first()
    if compute is None:
        return

    def report(steps: list[Step]) -> None:
        record_test(compute_id, steps, None, database_now())

    steps = run(compute, settings.STUDIO_HOME / "tests", report)
    record_test(compute_id, steps, all(step["ok"] for step in steps), database_now())


def run(compute: Compute, folder: Path, report: Report) -> list[Step]:
    """Run the probe on the compute and say step by step what worked.

    `folder` is where its spool is made, and thrown away; `report` gets the steps known so far.
    """
    program = interpreter(compute)
    # Of what another user runs it is not told whether we find it: that user is told by trying.
    is_looked_for = shares_files(compute) and not compute.is_isolated
    found = shutil.which(program) if is_looked_for else program
    if found is None:
        return [_step("Interpreter", False, f"There is no program {program} here.")]
    before = [] if is_here(compute) else [cluster_step(compute)]
    report([*before, *([_step("Interpreter", True, found)] if shares_files(compute) else [])])
    if not all(step["ok"] for step in before):
        return before
    folder.mkdir(parents=True, exist_ok=True)
    spool = Path(tempfile.mkdtemp(prefix="test-", dir=folder))
    try:
        return _probe(compute, program, spool, before, report)
    finally:
        with suppress(OSError):
            throw_away(folder, spool)  # what ran is the compute's own Python, whatever that is


def _probe(
    compute: Compute, program: str, spool: Path, before: list[Step], report: Report
) -> list[Step]:
    runner = get_runner(*place_of(compute))
    try:
        handle = runner.start(_spec(compute, program, spool))
    except InvalidInput as error:
        return [*before, _step("Command", False, error.problems[0].message)]
    except (RunnerError, OSError) as error:
        return [*before, _step("Command", False, f"It could not be started: {error}")]
    if not is_here(compute):
        before = [*before, waited(runner, handle, lambda step: report([*before, step]))]
    # The shim ends the command at its limit, so this ends a few seconds later at the latest.
    [event] = runner.poll([handle])
    while not isinstance(event, Ended | Lost):
        time.sleep(_LOOK_S)
        [event] = runner.poll([handle])
    logs = (_read(spool / "stdout.log"), _read(spool / "stderr.log"))
    return [*before, *_steps(event, *logs, program)]


def _spec(compute: Compute, program: str, spool: Path) -> LaunchSpec:
    """The probe as a trial would be run, by the same user. Raises InvalidInput, OSError."""
    user, work = isolation.user_for(compute), spool / "work"
    work.mkdir()
    person = isolation.environment(user, spool, machine_environment()) if user else {}
    variables = base_environment(compute, person=person)
    env, secrets = with_secrets(variables, compute.workspace)
    if user:
        isolation.hand_over(spool, user, own=("work",))
    return LaunchSpec(
        name=f"test.{compute.pk}.{spool.name}",
        spool=spool,
        argv=(
            program,
            "-c",
            _PROBE,
            *([] if is_here(compute) else [f"{settings.STUDIO_URL}/healthz"]),
        ),
        cwd=work,
        env=env,
        secrets=secrets,
        time_limit_s=LIMIT_S,
        user=user,
        options=options_of(compute),
        relay=far.relay_for_test(compute),
    )


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _steps(event: Ended | Lost, stdout: str, stderr: str, program: str) -> list[Step]:
    """What the end of the probe and its logs say."""
    line = next((text for text in stdout.splitlines() if text.startswith(_SAYS)), None)
    said = json.loads(line.removeprefix(_SAYS)) if line else {}
    ran = _ran(event, stderr)
    python = f"Python {said['python']} at {said['executable']}" if said else program
    mlflow = (
        str(said["mlflow"])
        if "mlflow" in said
        else said.get("mlflow_error", "unknown: the command did not get that far")
    )
    return [
        _step("Interpreter", bool(said), python),
        _step("MLflow", "mlflow" in said, mlflow),
        *([_reach(said)] if "address" in said else []),
        ran,
        _step("Log", bool(said), "its output arrived" if said else "its output did not arrive"),
    ]


def _reach(said: dict[str, Any]) -> Step:
    """Whether a command on another machine reaches the tracking gateway."""
    if "unreached" not in said:
        return _step("Studio", True, f"reached at {settings.STUDIO_URL}")
    return _step(
        "Studio",
        False,
        f"not reached at {settings.STUDIO_URL}: {said['unreached']}. Trials log there: set "
        "STUDIO_HOST and STUDIO_URL so that the nodes can reach the studio.",
    )


def _ran(event: Ended | Lost, stderr: str) -> Step:
    if isinstance(event, Lost):
        return _step("Command", False, event.reason)
    result = event.result
    took = result.ended_at - result.started_at
    if result.ended_by is EndedBy.EXIT and result.exit_code == 0:
        return _step("Command", True, f"ran for {took:.1f} s, exit code 0")
    last = next((text for text in reversed(stderr.splitlines()) if text.strip()), "")
    how = result.message or f"exit code {result.exit_code}"
    return _step("Command", False, f"{how} {last}".strip())
