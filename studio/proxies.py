"""Sign-in by a reverse proxy that names the person in a header (STUDIO_PROXY_USER_HEADER).

The header counts from trusted peers alone, with the secret if one is set, and with every request:
a session made like that is worth nothing without it.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from studio.models import User
from studio.peers import is_from_proxy
from studio.people.identities import make_account
from studio.people.signing_in import sign_in
from studio.sessions import ORIGIN

_BY_TOKEN = ("/api/", "/tracking/", "/healthz")
Handler = Callable[[HttpRequest], HttpResponse]


def sign_in_by_proxy(get_response: Handler) -> Handler:
    """Make the browser that of whom a trusted proxy names; end what is no longer backed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.STUDIO_PROXY_USER_HEADER and not request.path_info.startswith(_BY_TOKEN):
            _settle(request, named_by_proxy(request))
        return get_response(request)

    return middleware


def named_by_proxy(request: HttpRequest) -> str:
    """Whom the proxy names; "" if nobody, or if it is no proxy of ours that says so."""
    if not settings.STUDIO_PROXY_USER_HEADER or not is_from_proxy(request):
        return ""
    return request.headers.get(settings.STUDIO_PROXY_USER_HEADER, "").strip()


def _settle(request: HttpRequest, name: str) -> None:
    user = request.user
    if name and isinstance(user, User) and user.username == name:
        return
    by_proxy = request.session.get(ORIGIN, {}).get("how") == "proxy"
    if by_proxy or (name and isinstance(user, User)):
        logout(request)
    if name and (person := _person(name)):
        sign_in(request, person, "proxy")


def _person(name: str) -> User | None:
    """The active account of that name; a new one where strangers are admitted."""
    found = User.objects.filter(username=name).first()
    if found is None and settings.STUDIO_PROXY_SIGN_UP:
        try:
            UnicodeUsernameValidator()(name)
        except ValidationError:
            return None
        taken = len(name) > 150 or User.objects.filter(username__iexact=name).exists()
        return None if taken else make_account(name, timezone.now())
    return found if found and found.is_active else None
