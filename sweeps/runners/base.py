"""The contract every kind of compute fulfils, and the records that cross it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sweeps.runners.results import EndedBy, Result
from sweeps.runners.run_as import RunAs

__all__ = [
    "Cluster",
    "ComputeAway",
    "Ended",
    "EndedBy",
    "Event",
    "Group",
    "How",
    "LaunchSpec",
    "Lost",
    "Overview",
    "Relay",
    "Result",
    "RunAs",
    "Runner",
    "RunnerError",
    "Running",
    "Warm",
]


class RunnerError(Exception):
    """The runner could not do what was asked; the message says what to do about it."""


class ComputeAway(RunnerError):
    """The engine behind a compute does not answer, or has no room: nothing was started and nothing
    will be, and it can be tried again later."""


@dataclass(frozen=True, slots=True)
class Warm:
    """A parent process that has imported what the command's script will, and can be forked.

    `before` is how many words of the command are the interpreter, its options and the script (or
    -m and the module). `modules` are imported, in order; then, of each pair in `later`, the second
    where the first has been. `env` is the parent's environment, which holds nothing of a single
    command. Commands with the same `key` may have the same parent; its
    folder is made in `home`.
    """

    key: str
    home: Path
    before: int
    modules: tuple[str, ...]
    env: Mapping[str, str]
    later: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """What a command needs on a machine that shares no files with the studio.

    `url` is the studio's relay as that machine reaches it; a file in `keys` says which spool a key
    opens. `code` is the folder that is to lie where the command runs, `digest` names its content.
    `lent` are files and folders of the studio that words and variables of the command name: it
    finds copies. `machine` are variables that it has from the machine that it runs on (names, or
    beginnings), unless they are given.
    `python` is what that word means as the first one; "" for the Python of the engine's job, which
    has `packages` where there are any. `files` and `size` bound what it may leave as outputs.
    """

    url: str
    keys: Path
    code: Path | None = None
    digest: str = ""
    lent: tuple[Path, ...] = ()
    machine: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    python: str = ""
    files: int = 10_000
    size: int = 2**30


@dataclass(frozen=True, slots=True)
class How:
    """How a command was started: by a warm parent, or afresh and `reason` says why."""

    warm: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """One attempt at running a command.

    `name` is unique per attempt. `spool` is the folder of this attempt alone: logs, result and
    the runner's own files. `env` is the complete environment; a runner adds only its cookie.
    `cwd` must exist. Times are in seconds; `log_cap_bytes` holds for each of the two logs.
    `user` is who the command runs as, None for whoever runs the studio; what it is to reach it must
    be let reach by the caller.
    `secrets` are texts that get into the logs as ***; the runner keeps neither them nor the
    environment on a disk for longer than the command needs to start.
    `warm` is a way to start it sooner, where a runner has it; a text says why there is none.
    `options` is what the compute's settings say of each of its commands, as its kind has them.
    `relay` is there for kinds whose machines share no files with the studio.
    """

    name: str
    spool: Path
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    time_limit_s: float | None = None
    grace_s: float = 5.0
    log_cap_bytes: int = 50 * 2**20
    user: RunAs | None = None
    secrets: tuple[str, ...] = ()
    warm: Warm | str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    relay: Relay | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """Alive. `pid` is the command's, None while it is being started; `heartbeat_at` Unix s.
    `waits` says why it has not begun, where others decide on that: the engine's own words."""

    handle: str
    pid: int | None
    heartbeat_at: float | None
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Over, and no process of it is left."""

    handle: str
    result: Result


@dataclass(frozen=True, slots=True)
class Lost:
    """No result, and nobody left alive who could still write one."""

    handle: str
    reason: str


Event = Running | Ended | Lost


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes of a cluster that are alike: those of one partition in one state, say. `each` is what
    one has, `limit` how long a command may take, in the engine's words; the counts are of all that
    the cluster has, not of our commands alone, and None where it does not tell them by group."""

    name: str
    state: str
    nodes: int
    each: str
    limit: str = ""
    running: int = 0
    waiting: int | None = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """What an engine says of itself: which version it is, what it has, and how many wait where
    that is not told by group."""

    version: str
    groups: tuple[Group, ...] = ()
    waiting: int | None = None


class Cluster(Protocol):
    """What runners have besides whose commands run on other machines."""

    def overview(self) -> Overview:
        """Ask the engine what it has. May take long; raises RunnerError with its own words."""
        ...


class Runner(Protocol):
    """Runs commands on one kind of compute. Handles are strings that survive a restart of all."""

    def start(self, spec: LaunchSpec) -> str:
        """Start the command; a second start of the same spool only returns the same handle.

        Raises RunnerError if nothing was started and nothing will be; ComputeAway if that may be
        another time.
        """
        ...

    def poll(self, handles: Sequence[str]) -> list[Event]:
        """Say for each handle, in order, what is true of it now."""
        ...

    def signs(self, handles: Sequence[str]) -> list[int]:
        """Descriptors of which one becomes readable when a command of these may have ended.

        A help to look in time, no more: there need not be one for each, or any. They are the
        runner's, and good until the next call. For one thread.
        """
        ...

    def stop(self, handle: str, grace_s: float | None = None, reason: str = "") -> None:
        """Ask for the end: SIGTERM, `grace_s` (default: the spec's), SIGKILL. Returns at once.

        Asking again changes nothing, unless the new grace ends earlier. It ends frozen commands
        too; whoever goes on polling sees to it that nothing outlasts the grace by far.
        """
        ...

    def set_time_limit(self, handle: str, seconds: float | None) -> None:
        """Give a running command another time limit, counted from its start; None: no limit.

        One that has run longer already is ended soon. What has ended is left alone.
        """
        ...

    def how(self, handle: str) -> How | None:
        """How the command was started; None if that is not known (any more)."""
        ...

    def kill_leftovers(self, handle: str) -> int:
        """Kill whatever still carries this attempt's cookie; return how many processes."""
        ...

    def cleanup(self, handle: str) -> None:
        """Drop the runner's private files, not the logs or the result.

        Raises RunnerError while the command is running.
        """
        ...
