"""Environments: which there are, which are to be built, and how far that is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings

from studio.models import Workspace
from sweeps.environments import places
from sweeps.models import Environment, EnvironmentBuild, Sweep

_PREFIX = "azureml:"


def environments_root() -> Path:
    """Where built environments are kept."""
    return Path(settings.STUDIO_HOME) / "environments"


def named_environment(workspace: Workspace, reference: str) -> Environment | None:
    """The workspace's environment that `azureml:NAME:VERSION`, `NAME@latest` or `NAME` means."""
    name = reference.removeprefix(_PREFIX).split("@")[0].split(":")[0]
    return Environment.objects.filter(workspace=workspace, name__iexact=name).first()


def due_builds(most: int) -> list[EnvironmentBuild]:
    """Builds that should be begun, oldest first, so that `most` run at once."""
    running = EnvironmentBuild.objects.filter(state=EnvironmentBuild.BUILDING).count()
    # What failed ended its sweeps; a live one has come later, and it is tried anew.
    missing = EnvironmentBuild.objects.filter(
        state__in=[EnvironmentBuild.WAITING, EnvironmentBuild.FAILED]
    )
    return list(missing.wanted().order_by("created_at")[: max(0, most - running)])


def running_builds() -> list[EnvironmentBuild]:
    """Builds that have been begun and not settled."""
    return list(EnvironmentBuild.objects.filter(state=EnvironmentBuild.BUILDING))


def is_wanted(build: EnvironmentBuild) -> bool:
    """False once everybody who waited for it has gone."""
    return EnvironmentBuild.objects.filter(pk=build.pk).wanted().exists()


def is_built(digest: str | None) -> bool:
    """True if nothing is left to build: it is whole, or there is none."""
    if digest is None:
        return True
    return EnvironmentBuild.objects.filter(pk=digest, state=EnvironmentBuild.DONE).exists()


def log_folder(build: EnvironmentBuild) -> Path | None:
    """The spool with the log of the newest build, None before the first."""
    if not build.tries:
        return None
    return places.spool_of(environments_root(), build.digest, build.tries)


def build_lines(sweeps: Sequence[Sweep]) -> Mapping[int, str]:
    """How far the environments are that sweeps wait for, by sweep; without those that need none."""
    digests = {sweep.pk: sweep.environment_build_id for sweep in sweeps}
    builds = EnvironmentBuild.objects.filter(pk__in={*digests.values()} - {None})
    lines = {b.pk: _line(b) for b in builds if b.state != EnvironmentBuild.DONE}
    return {pk: lines[digest] for pk, digest in digests.items() if digest in lines}


def _line(build: EnvironmentBuild) -> str:
    if build.state != EnvironmentBuild.BUILDING:
        again = f" Tried again: {build.reason.rstrip('.')}." if build.reason else ""
        return f"Its environment is built next.{again}"
    folder = log_folder(build)
    last = places.last_line(folder) if folder else ""
    return f"Building its environment: {last}" if last else "Building its environment."
