"""Who calls the API: a bearer token, bound to one workspace and one role."""

from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja.errors import HttpError
from ninja.security import HttpBearer

from studio import actor, wrong_tokens
from studio.models import ApiToken, Role, Workspace
from studio.models.token import digest
from studio.models.workspace import may
from studio.services import note_use
from sweeps.api.limits import buckets


class Bearer(HttpBearer):
    """`Authorization: Bearer sst_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The usable token behind the header; None means 401."""
        now = timezone.now()
        rows = ApiToken.objects.usable(now).select_related("workspace", "user")
        found = rows.filter(digest=digest(token)).first()
        if found:
            note_use(found, now)
            if acting := actor.current():
                acting.by_token(found.user, found.hint)
        return found


class Limited(Bearer):
    """The same, as often as the token's limit lets it, or an address's of wrong ones; a request
    counts once."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """As `Bearer`. Raises HttpError 429."""
        found = super().authenticate(request, token)
        limit = settings.STUDIO_API_RATE
        if found and limit and not hasattr(request, "rate"):
            left = buckets.take(found.pk, limit)
            request.rate = left  # type: ignore[attr-defined]
            if left.retry_s:
                text = f"More than {limit:,} requests a minute; go on in {left.retry_s} s."
                raise HttpError(429, text)
        if not found and not hasattr(request, "rate"):
            left_of_wrong = wrong_tokens.counted(request)
            if left_of_wrong and left_of_wrong.retry_s:
                request.rate = left_of_wrong  # type: ignore[attr-defined]
                raise HttpError(429, wrong_tokens.said(left_of_wrong))
        return found


def token_of(request: HttpRequest) -> ApiToken:
    """The token that `Bearer` accepted."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def require_still(request: HttpRequest) -> None:
    """The token that was good when the request began still is, now that all of it has come, and
    its person may still do what they were let in for.

    Raises HttpError 401, and Http404 as `workspace_of`.
    """
    if not ApiToken.objects.usable(timezone.now()).filter(pk=token_of(request).pk).exists():
        raise HttpError(401, "The token has ended, or was revoked, while the request came.")
    for ws, role in getattr(request, "let_in", ()):
        workspace_of(request, ws, role)


def workspace_of(request: HttpRequest, ws: str, role: Role = Role.READER) -> Workspace:
    """The workspace, if the token is for it and may do there what `role` may.

    Raises Http404 otherwise, the same for foreign, missing and forbidden.
    """
    token = token_of(request)
    allowed = Workspace.objects.allowed(token.user, role).filter(name=ws, pk=token.workspace_id)
    workspace = allowed.first() if may(Role(token.role), role) else None
    if workspace is None:
        raise Http404("There is no such workspace, or this token may not do that there.")
    request.let_in = ((ws, role),)  # type: ignore[attr-defined]
    return workspace
