"""`ml_client.workspaces` and `ml_client.compute`: reading where sweeps run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sweeps.client.transport import Transport


@dataclass(frozen=True)
class Workspace:
    """A workspace that the token may see."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Compute:
    """Where trials run; `slots_used` trials run on it now. `isolated` where they run as an
    operating-system user of their workspace, not as the studio's."""

    name: str
    type: str
    slots: int
    slots_used: int
    is_default: bool
    description: str
    isolated: bool = False


class WorkspaceOperations:
    """Workspaces that the token may see: its own."""

    def __init__(self, transport: Transport, workspace: Callable[[], str]) -> None:
        self._transport, self._workspace = transport, workspace

    def get(self, name: str | None = None) -> Workspace:
        """One workspace; without a name the client's own."""
        path = f"/workspaces/{quote(name or self._workspace(), safe='')}"
        return _workspace(self._transport.get(path))

    def list(self) -> Iterator[Workspace]:
        """All of them."""
        for item in self._transport.items("/workspaces"):
            yield _workspace(item)


class ComputeOperations:
    """Computes of the client's workspace."""

    def __init__(self, transport: Transport, workspace: Callable[[], str]) -> None:
        self._transport, self._workspace = transport, workspace

    def get(self, name: str) -> Compute:
        """One compute. Raises ResourceNotFoundError."""
        return _compute(self._transport.get(f"{self._path}/{quote(name, safe='')}"))

    def list(self) -> Iterator[Compute]:
        """All of them."""
        for item in self._transport.items(self._path):
            yield _compute(item)

    @property
    def _path(self) -> str:
        return f"/workspaces/{quote(self._workspace(), safe='')}/computes"


def _workspace(answer: dict[str, Any]) -> Workspace:
    return Workspace(answer["name"], answer["title"], answer["description"])


def _compute(answer: dict[str, Any]) -> Compute:
    own = ("name", "slots", "slots_used", "is_default", "description")
    isolated = bool(answer.get("isolated"))  # older studios do not say
    kept = {name: answer[name] for name in own}
    return Compute(type=answer["kind"], isolated=isolated, **kept)
