"""What every page's frame shows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from studio.access import may_make_workspaces
from studio.models import Role, User, Workspace
from studio.models.workspace import may

_SECTIONS = ("sweeps", "computes", "environments", "models", "settings")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Workspace switcher and sections; lazy, so that fragments do not pay for it."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_authenticated:
        return {}
    match = request.resolver_match
    name = match.kwargs.get("ws") if match else None
    frame = SimpleLazyObject(lambda: _Frame(user, name))
    return {
        "nav_workspace": SimpleLazyObject(lambda: frame.workspace),
        "nav_workspaces": SimpleLazyObject(lambda: frame.workspaces),
        "nav_may_run": SimpleLazyObject(lambda: frame.may_run),
        "nav_may_make": SimpleLazyObject(lambda: may_make_workspaces(user)),
        "nav_section": _section(request.path),
    }


def _section(path: str) -> str:
    words = path.strip("/").split("/")
    if len(words) >= 2 and words[0] == "w":
        if len(words) == 2:
            return "overview"
        return words[2] if words[2] in _SECTIONS else ""
    return ""


class _Frame:
    """The workspaces of the frame, read once."""

    def __init__(self, user: User, name: str | None) -> None:
        rows = Workspace.objects.visible_to(user).with_role_of(user)
        self.workspaces = list(rows.active())
        named = [w for w in self.workspaces if w.name == name]
        if name and not named:
            named = list(rows.filter(name=name))
        default = self.workspaces[:1] if not name else []
        self.workspace = next(iter(named or default), None)

    @property
    def may_run(self) -> bool:
        """True if the person may submit sweeps there."""
        role = self.workspace.role_there if self.workspace else None  # type: ignore[attr-defined]
        return may(Role(role) if role else None, Role.CONTRIBUTOR)
