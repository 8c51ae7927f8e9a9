"""What every page's frame shows."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from studio.models import User, Workspace

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
        self.workspaces = list(Workspace.objects.visible_to(user).active())
        named = [w for w in self.workspaces if w.name == name]
        if name and not named:
            named = list(Workspace.objects.visible_to(user).filter(name=name))
        default = self.workspaces[:1] if not name else []
        self.workspace = next(iter(named or default), None)
