"""Which runner a compute's trials have, and what the kind of compute changes for them."""

import os
from typing import Any, NamedTuple

from django.conf import settings

from studio.models import Compute
from sweeps.domain.computes.kinds import KINDS, settings_of


class Place(NamedTuple):
    """What names a runner: trials of all computes with the same place are polled at once."""

    kind: str
    address: str


def place_of(compute: Compute) -> Place:
    """Where a compute's trials run; the registry has a runner for it."""
    if not compute.settings:  # looked at several times a second for each trial
        return Place(compute.kind, "")
    return Place(compute.kind, settings_of(compute.kind, compute.settings).address)


def is_here(compute: Compute) -> bool:
    """Whether its trials are processes of this machine."""
    return KINDS[compute.kind].is_here


def shares_files(compute: Compute) -> bool:
    """Whether the studio's files and Python lie at the same paths for its trials."""
    return KINDS[compute.kind].shares_files


def options_of(compute: Compute) -> dict[str, Any]:
    """What its settings say of each command."""
    return settings_of(compute.kind, compute.settings).doc()


def gateway_of(compute: Compute) -> str:
    """Where trials reach the tracking gateway: over loopback, or as the studio is reached from
    other hosts."""
    return settings.STUDIO_GATEWAY if is_here(compute) else f"{settings.STUDIO_URL}/tracking"


def relay_url() -> str:
    """Where trials that share no files with the studio reach it."""
    return f"{settings.STUDIO_URL}/relay"


def threads_of(compute: Compute) -> int:
    """How many threads a trial's libraries should start: its cores, which slots share here."""
    own = settings_of(compute.kind, compute.settings).threads
    here = (os.cpu_count() or 1) // compute.slots if is_here(compute) else 1
    return own or max(1, here)
