"""A runner without processes, for tests of what stands above runners."""

import time
from collections.abc import Mapping, Sequence

from sweeps.runners.base import (
    Ended,
    EndedBy,
    Event,
    How,
    LaunchSpec,
    Lost,
    Result,
    RunnerError,
    Running,
)


class ScriptedRunner:
    """Ends each attempt as scripted by its name; one without a script runs until told.

    `started` lists the names in the order of their start, `stopped` maps names to reasons,
    `limits` to time limits that were changed.
    """

    def __init__(self, results: Mapping[str, Result] | None = None) -> None:
        self.started: list[str] = []
        self.stopped: dict[str, str] = {}
        self.limits: dict[str, float | None] = {}
        self._scripts = dict(results or {})
        self._names: dict[str, str] = {}
        self._lost: dict[str, str] = {}

    def finish(self, name: str, result: Result) -> None:
        """Let the attempt `name` end with this result."""
        self._scripts[name] = result

    def lose(self, name: str, reason: str) -> None:
        """Let the attempt `name` be lost."""
        self._lost[name] = reason

    def is_over(self, name: str) -> bool:
        """True once the attempt `name` has ended or was lost."""
        return name in self._scripts or name in self._lost

    def start(self, spec: LaunchSpec) -> str:
        handle = str(spec.spool)
        if handle not in self._names:
            self._names[handle] = spec.name
            self.started.append(spec.name)
        return handle

    def poll(self, handles: Sequence[str]) -> list[Event]:
        return [self._look(handle) for handle in handles]

    def signs(self, handles: Sequence[str]) -> list[int]:
        return []

    def stop(self, handle: str, grace_s: float | None = None, reason: str = "") -> None:
        name = self._names[handle]
        if not self.is_over(name):
            now = time.time()
            self._scripts[name] = Result(EndedBy.STOPPED, None, 15, now, now, None, reason)
            self.stopped[name] = reason

    def set_time_limit(self, handle: str, seconds: float | None) -> None:
        self.limits[self._names[handle]] = seconds

    def how(self, handle: str) -> How | None:
        return None

    def kill_leftovers(self, handle: str) -> int:
        return 0

    def cleanup(self, handle: str) -> None:
        if isinstance(self._look(handle), Running):
            raise RunnerError(f"The command of {handle} is running. Stop it before the clean-up.")

    def _look(self, handle: str) -> Event:
        name = self._names.get(handle)
        if name is None:
            return Lost(handle, f"{handle} holds no attempt.")
        if name in self._lost:
            return Lost(handle, self._lost[name])
        if name in self._scripts:
            return Ended(handle, self._scripts[name])
        return Running(handle, None, None)
