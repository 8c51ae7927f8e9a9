"""Which compute a job means, and which are on clusters."""

from collections.abc import Mapping

from studio.models import Compute, Workspace
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown

_PREFIX = "azureml:"


def resolve_compute(
    workspace: Workspace, wanted: str | None, aliases: Mapping[str, str]
) -> tuple[Compute, str | None]:
    """The compute a job runs on, and a note if it is not the one it named.

    An `azureml:` prefix is dropped and aliases are looked at first. An unknown or absent name
    falls back to the workspace's default compute. Raises InvalidInput, listing the computes there
    are, when there is no default.
    """
    name = (wanted or "").removeprefix(_PREFIX)
    meant = aliases.get(name, name)
    computes = list(workspace.computes.all())
    for compute in computes:
        if compute.name == meant:
            note = f"Compute {shown(name)} means {shown(meant)} here." if meant != name else None
            return compute, note
    default = next((compute for compute in computes if compute.is_default), None)
    if default is None:
        known = ", ".join(compute.name for compute in computes) or "none yet"
        raise InvalidInput.one(
            "compute", f"There is no compute {shown(name)} and no default one. There are: {known}."
        )
    if not name:
        return default, f"No compute was named; “{default.name}”, the default, is used."
    return (
        default,
        f"There is no compute {shown(name)} here; “{default.name}”, the default, is used.",
    )


def on_clusters() -> list[Compute]:
    """Computes whose trials run on other machines, of workspaces that are in use."""
    here = [kind.name for kind in KINDS.values() if kind.is_here]
    rows = Compute.objects.filter(workspace__archived_at=None).exclude(kind__in=here)
    return list(rows.order_by("pk"))
