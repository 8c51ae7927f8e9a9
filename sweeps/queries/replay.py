"""What a trial's replay outside the studio needs."""

from studio.secrecy import HIDDEN, hidden, named_in
from sweeps.domain.replay import Replayed
from sweeps.models import Trial


def replayed(trial: Trial, studio: str) -> Replayed:
    """The trial's facts; `studio` is the address that its code is fetched from.

    The compute's own variables are not among them: they may be secrets of that machine. Secrets of
    the sweep are named, for whoever runs the script to set.
    """
    sweep = trial.sweep
    code = sweep.code
    path = f"/api/v1/workspaces/{sweep.workspace.name}/code/{code.digest}/code.zip" if code else ""
    build = sweep.environment_build
    shown = hidden(sweep.environment_variables)
    secret = [name for name, value in shown.items() if value == HIDDEN or named_in(value)]
    return Replayed(
        sweep=sweep.name,
        number=trial.number,
        attempt=max(trial.attempt, 1),
        title=str(sweep),
        command=sweep.command,
        params=trial.params,
        code_url=f"{studio.rstrip('/')}{path}" if path else "",
        inputs=sweep.inputs,
        outputs=list(sweep.outputs),
        variables={name: value for name, value in shown.items() if name not in secret},
        secrets=tuple(secret),
        packages=build.packages if build else (),
    )
