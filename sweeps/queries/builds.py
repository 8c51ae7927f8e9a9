"""Which environments are to be built, and for which workspaces."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import Q, QuerySet

from studio.models import Workspace
from sweeps.domain.states import Desired
from sweeps.models import BuildRequest, EnvironmentBuild, Sweep

# What failed ended its sweeps; a live one has come later, and it is tried anew.
_MISSING = (EnvironmentBuild.WAITING, EnvironmentBuild.FAILED)
# In the place of a workspace, where the studio itself has lost what it had built.
NOBODY = 0


def running_builds() -> list[EnvironmentBuild]:
    """Builds that have been begun and not settled."""
    return list(EnvironmentBuild.objects.filter(state=EnvironmentBuild.BUILDING))


def workspaces_of(digests: Collection[str]) -> Mapping[str, set[int]]:
    """The workspaces that wait for each build, or ask for it; those of trials that do, too."""
    found: dict[str, set[int]] = defaultdict(set)
    sweeps = _live().filter(environment_build__in=digests)
    for digest, workspace in sweeps.values_list("environment_build", "workspace").distinct():
        found[digest].add(workspace)
    requests = BuildRequest.objects.filter(build__in=digests)
    for digest, workspace in requests.values_list("build", "workspace"):
        found[digest].add(workspace)
    return found


def due_builds(but: Collection[int]) -> list[tuple[str, set[int]]]:
    """Builds that should be begun, oldest first, with the workspaces that want them; without those
    that only the workspaces `but` want."""
    rows = EnvironmentBuild.objects.filter(state__in=_MISSING).wanted()
    asked = BuildRequest.objects.exclude(workspace__in=but).values("build")
    waited = _live().exclude(workspace__in=but).exclude(environment_build=None)
    wanted = Q(pk__in=asked) | Q(pk__in=waited.values("environment_build"))
    if NOBODY not in but:
        wanted |= Q(is_asked_for=True, requests=None)
    digests = list(rows.filter(wanted).order_by("created_at", "pk").values_list("pk", flat=True))
    owners = workspaces_of(digests)
    return [(digest, owners.get(digest) or {NOBODY}) for digest in dict.fromkeys(digests)]


def _live() -> QuerySet[Sweep]:
    rows = Sweep.objects.filter(ended_at=None, deleted_at=None)
    return rows.exclude(desired=Desired.CANCEL)


def is_asked_for_in(workspace: Workspace, build: EnvironmentBuild) -> bool:
    """Whether somebody of the workspace has begun the build by hand, and it is not over."""
    return build.is_asked_for and (
        build.requests.filter(workspace=workspace).exists() or not build.requests.exists()
    )
