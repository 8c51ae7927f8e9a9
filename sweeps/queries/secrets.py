"""Secrets of a workspace by name, and what uses them. Their values are read by nobody here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from studio.models import Compute, Secret, Workspace
from studio.secrecy import HIDDEN, is_sensitive, kept, names_of
from sweeps.domain.job import SweepJob
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.states import SweepStatus
from sweeps.domain.wording import listed, shown
from sweeps.models import Sweep
from sweeps.queries.computes import resolve_compute

WHERE = "trial.environment_variables"
_FINAL = [status.value for status in SweepStatus if status.is_final]


@dataclass(frozen=True, slots=True)
class Uses:
    """What names a secret: sweeps that have not ended, how many that have, and computes."""

    sweeps: tuple[Sweep, ...] = ()
    ended: int = 0
    computes: tuple[Compute, ...] = ()


def secret_names(workspace: Workspace) -> list[str]:
    """By name."""
    return list(Secret.objects.filter(workspace=workspace).values_list("name", flat=True))


def problems_of(workspace: Workspace, variables: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the environment variables of a job as to secrets, each at its variable."""
    return [Problem(f"{WHERE}.{name}", text) for name, text in _wrong(workspace, variables).items()]


def _wrong(workspace: Workspace, variables: Mapping[str, str]) -> dict[str, str]:
    unfilled = [n for n, v in variables.items() if v == HIDDEN and is_sensitive(n)]
    wrong = dict.fromkeys(
        unfilled,
        "This value is hidden, and did not come along. Type it again, or keep it as a secret of "
        "the workspace and write ${{secrets.NAME}}.",
    )
    if not names_of(variables):
        return wrong
    there = secret_names(workspace)
    for name, value in variables.items():
        missing = [secret for secret in names_of({name: value}) if secret not in there]
        if missing:
            wrong[name] = f"This workspace has no secret {shown(missing[0])}. {_there(there)}"
    return wrong


def given_by(job: SweepJob, workspace: Workspace) -> list[str]:
    """The workspace's secrets that trials of a job would get, by its own variables and by those of
    its compute; each once."""
    try:
        compute, _ = resolve_compute(workspace, job.compute, settings.STUDIO_COMPUTE_ALIAS)
    except InvalidInput:
        return []  # it cannot run at all
    named = names_of(compute.environment_variables | dict(job.environment_variables))
    there = set(secret_names(workspace)) if named else set()
    return [name for name in named if name in there]


def with_kept_values(job: SweepJob, workspace: Workspace, former: str) -> SweepJob:
    """The job with those values that its form showed as *** from the sweep that it is a clone of.

    `workspace` is one where the person may run code; a name that no sweep has there changes
    nothing.
    """
    if HIDDEN not in job.environment_variables.values():
        return job
    sweep = Sweep.objects.kept().filter(workspace=workspace, name=former).first()
    if sweep is None:
        return job
    variables = kept(job.environment_variables, sweep.environment_variables)
    return replace(job, environment_variables=variables)


def _there(names: list[str]) -> str:
    if not names:
        return "It has none yet: an owner can set it under Settings, Secrets."
    return f"It has {listed(names[:20])}; owners set others under Settings, Secrets."


def uses(workspace: Workspace) -> dict[str, Uses]:
    """By the name of a secret, whether or not there is one."""
    found: dict[str, Uses] = {}
    # A text search first: most sweeps name no secret.
    rows = Sweep.objects.kept().filter(
        workspace=workspace, environment_variables__icontains="secrets."
    )
    rows = rows.only("name", "display_name", "status", "environment_variables", "workspace")
    for sweep in rows.select_related("workspace").order_by("-pk"):
        for name in names_of(sweep.environment_variables):
            of = found.get(name, Uses())
            if sweep.status in _FINAL:
                found[name] = Uses(of.sweeps, of.ended + 1, of.computes)
            else:
                found[name] = Uses((*of.sweeps, sweep), of.ended, of.computes)
    for compute in Compute.objects.filter(workspace=workspace).select_related("workspace"):
        for name in names_of(compute.environment_variables):
            of = found.get(name, Uses())
            found[name] = Uses(of.sweeps, of.ended, (*of.computes, compute))
    return found
