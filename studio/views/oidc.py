"""To an OpenID provider and back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from studio import oidc
from studio.access import signed_in
from studio.models import User
from studio.people import identities, invitations
from studio.people.identities import Known
from studio.people.signing_in import sign_in
from studio.services import Refused

# What to come back to, and whether to connect an account, while somebody is at the provider.
_AWAY = "oidc"
_AWAY_S = 600


def connect_word(request: HttpRequest) -> str:
    """What the link for connecting carries, for a page of another site must not start that: with
    its author's identity, its author could sign in as whoever is signed in here."""
    key = request.session.session_key or ""
    return salted_hmac("studio.views.oidc", key, algorithm="sha256").hexdigest()


@login_not_required
@never_cache
@require_safe
def oidc_start(request: HttpRequest) -> HttpResponse:
    """To the provider; who is signed in and asks for it connects the account with it.

    A link and no form: the policy of pages lets no form lead elsewhere.
    """
    if not oidc.is_on():
        raise Http404
    connects = isinstance(request.user, User) and "connect" in request.GET
    if connects and not constant_time_compare(request.GET["connect"], connect_word(request)):
        return _no(request, "Start from the page of your account.", 400)
    if not isinstance(request.user, User):
        request.session.set_expiry(_AWAY_S)
    request.session[_AWAY] = {
        "next": _own(request, request.GET.get("next", "")),
        "connect": request.user.pk if connects else None,
    }
    try:
        return oidc.start(request)
    except oidc.SignInFailed:
        return _no(request, "The identity provider cannot be reached. Try again later.", 503)


@login_not_required
@never_cache
@require_safe
def oidc_callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: sign in whose identity it is."""
    if not oidc.is_on():
        raise Http404
    away = request.session.pop(_AWAY, {})
    try:
        claims = oidc.finish(request)
    except oidc.SignInFailed:
        text = "The identity provider's answer could not be accepted. Start again."
        return _no(request, text, 400)
    known = Known(claims.issuer, claims.subject, claims.email, claims.name, claims.username)
    try:
        if away.get("connect"):
            return _connect(request, known, away["connect"])
        return _sign_in(request, known, away.get("next") or reverse("home"))
    except Refused as refusal:
        return _no(request, str(refusal), 403)


def _connect(request: HttpRequest, known: Known, pk: int) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or user.pk != pk:
        raise Refused("You were signed out meanwhile. Sign in, and connect again.")
    identities.connect(user, known, timezone.now())
    messages.success(request, "Connected: from now on you can sign in like that, too.")
    return redirect("account")


def _sign_in(request: HttpRequest, known: Known, then: str) -> HttpResponse:
    now = timezone.now()
    user = identities.person_of(known, now)
    if user is None:
        if not (oidc.admits_strangers() or _is_invited(then)):
            raise Refused(
                "You have no account in this studio. Ask an owner of a workspace to invite you; "
                "if you have one with a password, sign in with it and connect it on its page."
            )
        user = identities.make_person(known, now)
    sign_in(request, user, "oidc")
    return redirect(then)


def _is_invited(path: str) -> bool:
    """True if the address that was asked for is that of an invitation which still works."""
    try:
        match = resolve(path.split("?")[0])
    except Resolver404:
        return False
    secret = match.kwargs.get("secret", "")
    return match.url_name == "invitation" and bool(invitations.find(secret, timezone.now()))


def _own(request: HttpRequest, path: str) -> str:
    """`path` if it is one of ours, else ""."""
    safe = url_has_allowed_host_and_scheme(path, {request.get_host()}, request.is_secure())
    return path if safe and path.startswith("/") else ""


def _no(request: HttpRequest, text: str, status: int) -> HttpResponse:
    return render(request, "accounts/oidc_failed.html", {"text": text}, status=status)


@require_POST
def oidc_disconnect(request: HttpRequest) -> HttpResponse:
    """The provider no longer signs the person in."""
    try:
        identities.disconnect(signed_in(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Disconnected: you sign in with your password alone now.")
    return redirect("account")
