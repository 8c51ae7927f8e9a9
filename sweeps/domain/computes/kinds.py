"""The registry of kinds of compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.domain.computes.ray import RaySettings
from sweeps.domain.computes.settings import Settings
from sweeps.domain.computes.slurm import SlurmSettings


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of compute. `is_here` where trials are processes of this machine, which can be
    isolated and preloaded, and reach the studio by loopback; `shares_files` where what lies in the
    studio's home, and its Python, lie at the same paths for trials; `parts` is what its engine
    calls groups of its nodes; `about` says what a slot is."""

    name: str
    title: str
    settings: type[Settings]
    is_here: bool
    about: str
    shares_files: bool = True
    parts: str = "partition"


_ALL = (
    Kind(
        "local",
        "This machine",
        Settings,
        is_here=True,
        about="Trials run as processes of the account that runs the studio, unless the compute is "
        "isolated. A slot is a place for one trial; with as many slots as cores, every trial gets "
        "a core of its own.",
    ),
    Kind(
        "slurm",
        "Slurm",
        SlurmSettings,
        is_here=False,
        about="Each trial is a batch job of the cluster whose login host the studio runs on. The "
        "studio’s home and its Python have to lie on a file system that the nodes share.",
    ),
    Kind(
        "ray",
        "Ray",
        RaySettings,
        is_here=False,
        about="Each trial is a job of a Ray cluster, which the studio reaches at the address of "
        "its dashboard. Nodes need no files of the studio, but have to reach it by HTTP; “python” "
        "is theirs, unless an interpreter is named.",
        shares_files=False,
        parts="kind of node",
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}


def settings_of(kind: str, doc: Mapping[str, Any]) -> Settings:
    """The stored settings of a compute. Raises KeyError for a kind there is not."""
    return KINDS[kind].settings.stored(doc)
