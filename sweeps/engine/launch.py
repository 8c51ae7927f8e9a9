"""From a claimed trial to a running command: its folder, arguments and environment."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from studio.models import Compute, Workspace
from studio.public import NotPublic, real_public
from studio.secrecy import filled, masks, names_of, sensitive_values
from studio.secret_services import SecretMissing, reveal
from sweeps.domain.command import parse_command, render
from sweeps.domain.param_names import environment, format_value
from sweeps.domain.problems import InvalidInput
from sweeps.domain.web_inputs import is_address
from sweeps.domain.wording import cut
from sweeps.engine import far, isolation, warm
from sweeps.engine.places import gateway_of, options_of, shares_files, threads_of
from sweeps.environments.own import constraints
from sweeps.environments.places import built, python_of
from sweeps.models import Attempt, InputFetch, Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.environments import environments_root
from sweeps.queries.fetches import fetched
from sweeps.queries.places import spool_of
from sweeps.runners.base import LaunchSpec
from sweeps.stores import snapshots
from sweeps.stores.downloads import place

# What a trial may see of the server's own environment; never a copy of it (secrets live there).
ENV_ALLOWED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
)
# What tells a trial where and as what it logs; MLflow reads them when it is used, not before.
_OF_SWEEP = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_ID")
ENV_ALLOWED_PREFIXES = ("CUDA_", "NVIDIA_", "ROCR_", "HIP_")


NOT_OWN = (
    "Its environment was built before its compute was isolated, for trials that are not. Clone the "
    "sweep: its environment is then built by a user of this workspace."
)


def spec_of(attempt: Attempt, token: str) -> LaunchSpec:
    """Prepare the attempt's folder and say how its command is run; `with_run` completes it.

    Raises InvalidInput when the command cannot be rendered (an input file has gone), and
    EnvironmentGone when its environment is not there.
    """
    trial, sweep = attempt.trial, attempt.trial.sweep
    spool = spool_of(attempt)
    user = isolation.user_for(sweep.compute)
    build = sweep.environment_build if user else None
    if build and build.recipe.get("owner") != sweep.workspace.name:
        raise InvalidInput.one("environment", NOT_OWN)
    python = _python_of(sweep)
    work = _work_folder(sweep, spool)
    outputs = _outputs(sweep, spool)
    inputs = _inputs(sweep, work, apart=user is not None)
    if user:
        inputs = isolation.lent_inputs(sweep, inputs, user, spool)
    argv = render(parse_command(sweep.command), trial.params, inputs, outputs)
    params_file = spool / "params.json"
    params_file.write_text(json.dumps(trial.params))
    own = environment(
        trial.params,
        sweep=sweep.name,
        trial=trial.number,
        attempt=attempt.number,
        output_dir=str(spool / "outputs"),
        params_file=str(params_file),
        inputs=inputs,
        outputs=outputs,
    )
    person = isolation.environment(user, spool, machine_environment()) if user else {}
    env, secrets = _environment(sweep, token, python, person)
    if user:
        isolation.hand_over(spool, user, own=("work", "outputs"), lent=("params.json",))
    spec = LaunchSpec(
        name=f"{sweep.workspace.name}.{sweep.name}.{trial.number}.{attempt.number}",
        spool=spool,
        argv=_resolve(argv, python) if shares_files(sweep.compute) else argv,
        cwd=work,
        env=env | own,
        time_limit_s=sweep.trial_timeout_s,
        log_cap_bytes=settings.STUDIO_LOG_CAP_MB * 2**20,
        secrets=secrets,
        user=user,
        options=options_of(sweep.compute),
        relay=far.relay_for_trial(sweep, inputs, spool),
    )
    return replace(spec, warm=warm.plan(sweep, spec, python, common(env)))


def common(env: Mapping[str, str]) -> dict[str, str]:
    """Of an environment without its trial's own variables, what all trials with such a compute,
    environment and variables have."""
    return {name: value for name, value in env.items() if name not in _OF_SWEEP}


def with_run(spec: LaunchSpec, run_id: str) -> LaunchSpec:
    """The command with the MLflow run that it logs to."""
    return replace(spec, env={**spec.env, "MLFLOW_RUN_ID": run_id})


def _work_folder(sweep: Sweep, spool: Path) -> Path:
    """A fresh copy of the code: a trial may write beside its script without touching others."""
    work = spool / "work"
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.rmtree(work, ignore_errors=True)
    if sweep.code is None:
        work.mkdir()
    else:
        snapshots.materialise(settings.STUDIO_HOME / "code", sweep.code.digest, work)
    # Azure ML makes it, so scripts and redirections write there without asking.
    (work / "outputs").mkdir(exist_ok=True)
    return work


def _outputs(sweep: Sweep, spool: Path) -> dict[str, str]:
    folder = spool / "outputs"
    folder.mkdir(exist_ok=True)
    for name in sweep.outputs:
        (folder / name).mkdir(exist_ok=True)
    return {name: str(folder / name) for name in sweep.outputs}


def _inputs(sweep: Sweep, work: Path, *, apart: bool = False) -> dict[str, str]:
    """What each input is to the command; `apart` where that is another user's."""
    web = {
        name: value
        for name, value in sweep.inputs.items()
        if isinstance(value, Mapping) and is_address(value["path"])
    }
    there = fetched(sweep) if web else {}
    return {
        name: _downloaded(name, value, there) if name in web else _input(name, value, work, apart)
        for name, value in sweep.inputs.items()
    }


def _downloaded(name: str, value: Mapping[str, Any], there: Mapping[str, InputFetch]) -> str:
    """Where a file from the web lies; for a uri_folder the folder that holds it alone."""
    row = there.get(name)
    path = place(settings.STUDIO_HOME / "downloads", row.digest, row.name) if row else None
    if path is None or not path.is_file():
        text = f"What was downloaded for input “{name}” is gone; clone the sweep to get it anew."
        raise InvalidInput.one(f"inputs.{name}", text)
    return str(path.parent if value.get("type") == "uri_folder" else path)


def _input(name: str, value: Any, work: Path, apart: bool) -> str:
    """A literal as text; a data input as the path where it lies (relative: within the code)."""
    if not isinstance(value, Mapping):
        return format_value(value)
    path = work / value["path"]
    try:
        return str(_seen_by_others(path, work) if apart else path.resolve(strict=True))
    except (OSError, RuntimeError) as error:
        # Of a path the end says most. And no more than that: the studio may look where the one who
        # asks may not.
        why = ", or not for every user of this machine" if apart else ""
        text = f"Input “{name}” is not there{why}: {cut(value['path'], 300)}"
        raise InvalidInput.one(f"inputs.{name}", text) from error


def _seen_by_others(path: Path, work: Path) -> Path:
    """A path of the machine, judged again: since it was named it may have become a link. What the
    studio keeps is lent, or not. Raises OSError."""
    home, path = Path(settings.STUDIO_HOME), Path(os.path.normpath(path))
    if path.is_relative_to(work) or path.is_relative_to(home / "data"):
        os.lstat(path)  # the code's fresh copy, and uploads: nobody but the studio has been there
        return path
    found = real_public(path)
    if found.is_relative_to(home.resolve()):
        raise NotPublic
    return found


class EnvironmentGone(Exception):
    """The virtual environment of `digest` was built, and is not there any more."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__("Its environment has gone, and is built again.")


def interpreter(compute: Compute) -> str:
    """The Python that `python` means on this compute."""
    return compute.python or (sys.executable if shares_files(compute) else "python")


def _python_of(sweep: Sweep) -> str:
    """The Python that `python` means to this sweep."""
    digest = sweep.environment_build_id
    if digest is None or not shares_files(sweep.compute):
        return sweep.interpreter or interpreter(sweep.compute)
    if built(environments_root(), digest) is None:
        raise EnvironmentGone(digest)
    return str(python_of(environments_root(), digest))


def _resolve(argv: tuple[str, ...], python: str) -> tuple[str, ...]:
    """`python` and `python3` as the first word mean the sweep's interpreter."""
    if argv[0] in ("python", "python3"):
        return (python, *argv[1:])
    return argv


def machine_environment() -> dict[str, str]:
    """What every command on this machine gets, builds of environments too."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in ENV_ALLOWED or name.startswith(ENV_ALLOWED_PREFIXES)
    }


def with_secrets(
    variables: Mapping[str, Any], workspace: Workspace
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Environment variables with the secrets that they name, and what logs must not show of them.

    Raises InvalidInput when the workspace has no such secret (any more).
    """
    named = names_of(variables)
    try:
        secrets = reveal(workspace, named, database_now()) if named else {}
    except SecretMissing as error:
        raise InvalidInput.one("trial.environment_variables", str(error)) from error
    found = {name: filled(str(value), secrets.__getitem__) for name, value in variables.items()}
    return found, masks([*secrets.values(), *sensitive_values(found)])


def base_environment(
    compute: Compute, program: str | None = None, person: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What every command on this compute gets; `program` is its Python, by default the compute's,
    `person` what tells who it runs as, where that is not the studio's user. Secrets are not
    filled in."""
    # On a machine that is not at all like this one it has that one's instead (`engine.far`).
    allowed = {**machine_environment(), **(person or {})} if shares_files(compute) else {}
    python = Path(program or interpreter(compute))
    path = allowed.get("PATH", os.defpath)
    own = str(python) == sys.executable
    return {
        **allowed,
        **({"PIP_CONSTRAINT": str(constraints(environments_root()))} if own else {}),
        **(
            {"PATH": f"{python.parent}{os.pathsep}{path}" if python.is_absolute() else path}
            if allowed
            else {}
        ),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads_of(compute)),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        **{key: str(value) for key, value in compute.environment_variables.items()},
    }


def _of_venv(folder: Path) -> dict[str, str]:
    """What tells commands of the environment that was built for them. There is no pip in it, for
    all trials share it; another one on the PATH would install into a Python of this machine."""
    return {"VIRTUAL_ENV": str(folder), "PIP_REQUIRE_VIRTUALENV": "1"}


def _environment(
    sweep: Sweep, token: str, python: str, person: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    variables = {
        **base_environment(sweep.compute, python, person),
        **(_of_venv(Path(python).parent.parent) if sweep.environment_build_id else {}),
        **{key: str(value) for key, value in sweep.environment_variables.items()},
        "MLFLOW_TRACKING_URI": f"{gateway_of(sweep.compute)}/{sweep.workspace.name}",
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_EXPERIMENT_ID": sweep.experiment_id,
        "SWEEP_LOGGED_MODELS": sweep.logged_models,
    }
    return with_secrets(variables, sweep.workspace)
