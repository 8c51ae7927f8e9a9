"""Environments: which there are, which are to be built, and how far that is."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet

from studio.models import Workspace
from sweeps.environments import places
from sweeps.models import Environment, EnvironmentBuild, Sweep
from sweeps.queries.logs import log_size, read_log

_PREFIX = "azureml:"
_TAIL = 16 * 1024
LOGS = ("stdout", "stderr")
MOST_OTHERS = 100


def environments_root() -> Path:
    """Where built environments are kept."""
    return Path(settings.STUDIO_HOME) / "environments"


def named_environment(workspace: Workspace, reference: str) -> Environment | None:
    """The workspace's environment that `azureml:NAME:VERSION`, `NAME@latest` or `NAME` means."""
    name = reference.removeprefix(_PREFIX).split("@")[0].split(":")[0]
    return Environment.objects.filter(workspace=workspace, name__iexact=name).first()


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


# --- For the pages ------------------------------------------------------------------------------


def sweeps_in(workspace: Workspace) -> QuerySet[Sweep]:
    """The workspace's sweeps that named an environment of it; not those that described theirs."""
    real = Sweep.objects.real().filter(workspace=workspace)
    return real.exclude(environment_name="").exclude(environment__has_key="conda_file")


def uses(workspace: Workspace) -> dict[str, int]:
    """How many sweeps named each environment, by its name."""
    rows = sweeps_in(workspace).order_by().values_list("environment_name")
    return dict(rows.annotate(Count("pk")))


def builds_of(workspace: Workspace) -> QuerySet[EnvironmentBuild]:
    """Builds that sweeps of the workspace, dry runs too, ran in or wait for."""
    return EnvironmentBuild.objects.filter(
        sweeps__workspace=workspace, sweeps__deleted_at=None
    ).distinct()


def other_builds(workspace: Workspace, known: Collection[str]) -> list[EnvironmentBuild]:
    """Builds for the workspace's sweeps beside those `known`, with `sweep_count`, and one name
    by which they asked for it as `called`.

    The newest first, and no more than MOST_OTHERS.
    """
    real = Q(sweeps__workspace=workspace, sweeps__deleted_at=None, sweeps__is_dry_run=False)
    counted = EnvironmentBuild.objects.annotate(
        sweep_count=Count("sweeps", filter=real),
        called=Max("sweeps__environment_name", filter=real),
    )
    rows = counted.filter(sweep_count__gt=0).exclude(pk__in=known)
    return list(rows.order_by("-created_at", "pk")[:MOST_OTHERS])


def wanted_among(digests: Collection[str]) -> set[str]:
    """Those of the builds that somebody waits for."""
    rows = EnvironmentBuild.objects.filter(pk__in=digests).wanted()
    return set(rows.values_list("pk", flat=True))


def log_tail(build: EnvironmentBuild) -> list[str]:
    """The newest lines of its log."""
    folder = log_folder(build)
    found: list[str] = []
    for stream in LOGS:
        start = max(0, log_size(folder, stream) - _TAIL)
        text = places.plain(read_log(folder, stream, start).text)
        # The first line of a piece begins somewhere.
        found += text.splitlines()[1 if start else 0 :]
    return [line.rstrip() for line in found]
