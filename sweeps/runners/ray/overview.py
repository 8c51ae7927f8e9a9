"""What a cluster is made of, and what waits there, for the page of computes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sweeps.runners.base import Group, Overview
from sweeps.runners.ray.api import Api, fit

# What Ray counts as resources of each node, and that nobody asks for.
_HIDDEN = ("node:", "object_store_memory", "accelerator_type:")


def overview(api: Api) -> Overview:
    """Its nodes by kind, and jobs by where they run. Raises RunnerError."""
    try:
        return _overview(api)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise api.stranger() from error  # nothing of Ray's has that shape


def _overview(api: Api) -> Overview:
    version = f"Ray {api.version()}"
    jobs = api.jobs()
    nodes = [node for node in api.nodes() if node.get("state") == "ALIVE"]
    kinds = Counter(map(_kind, nodes))
    kind_of = {node.get("node_id"): _kind(node) for node in nodes}
    runs = Counter(
        kind_of.get(job.get("driver_node_id")) for job in jobs if job.get("status") == "RUNNING"
    )
    groups = tuple(
        Group(name, "alive", count, each, running=runs[name, each], waiting=None)
        for (name, each), count in sorted(kinds.items())
    )
    pending = sum(job.get("status") == "PENDING" for job in jobs)
    return Overview(version, groups, max(pending, _demands(api.usage())))


def _kind(node: Mapping[str, Any]) -> tuple[str, str]:
    has = node.get("resources_total") or {}
    shown = [_amount(name, has[name]) for name in sorted(has) if not name.startswith(_HIDDEN)]
    return ("head" if node.get("is_head_node") else "worker"), fit(", ".join(shown), 200)


def _amount(name: str, amount: float) -> str:
    if name == "memory":
        return f"{amount / 2**30:.0f} GiB"
    return f"{amount:g} {name}{'s' if name in ('CPU', 'GPU') and amount != 1 else ''}"


def _demands(usage: Mapping[str, Any]) -> int:
    """How many tasks and actors of the cluster wait for resources."""
    rows = usage.get("resourceDemand") or []
    return sum(int(row[1]) for row in rows if isinstance(row, list) and len(row) == 2)
