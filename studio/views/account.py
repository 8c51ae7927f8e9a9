"""One's own account: name and mail, password, sessions, tokens."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from studio import oidc, services
from studio.access import signed_in
from studio.account_forms import AccountForm, password_form
from studio.local_users import counted_for
from studio.models import ApiToken, Session
from studio.people import accounts, passwords, signing_in, throttle
from studio.sessions import kept_as
from studio.views.oidc import connect_word


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    """The account page; `forms` are those that were just rejected."""
    user, now = signed_in(request), timezone.now()
    tokens = ApiToken.objects.allowed(user).usable(now).select_related("workspace")
    context = {
        "account_form": AccountForm(instance=user),
        "has_password": user.has_usable_password(),
        "sessions": Session.objects.allowed(user).alive(now),
        "this_session": kept_as(request.session.session_key or ""),
        "tokens": tokens,
        "oidc_connect": connect_word(request) if oidc.is_on() else "",
        "identity": user.identities.filter(issuer=settings.STUDIO_OIDC_ISSUER).first(),
        "memberships": user.memberships.select_related("workspace").order_by("workspace__name"),
    } | forms
    wrong = any(getattr(form, "errors", None) for form in forms.values())
    return render(request, "accounts/account.html", context, status=422 if wrong else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """What the studio knows of the person, and their sessions and tokens."""
    if request.method != "POST":
        return _page(request)
    user = signed_in(request)
    form = AccountForm(request.POST, instance=user)
    if not form.is_valid():
        user.refresh_from_db()  # the frame shows the name as it is
        return _page(request, account_form=form)
    accounts.save_account(user)
    messages.success(request, "Your account is saved.")
    return redirect("account")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    """Set or change the own password; other sessions of the person end, this one stays."""
    user, now = signed_in(request), timezone.now()
    asks_old = user.has_usable_password() and not signing_in.came_by_link(request, now)
    if request.method != "POST":
        return _password_page(request, password_form(user, asks_old), asks_old)
    # Whoever finds a browser open may guess the old password no more often than at the door.
    attempt = throttle.begin(user.username, counted_for(request), now)
    if isinstance(attempt, throttle.Wait):
        response = _password_page(request, password_form(user, asks_old), asks_old, attempt)
        response["Retry-After"] = str(attempt.seconds)
        return response
    form = password_form(user, asks_old, request.POST)
    if not form.is_valid():
        if "old_password" not in form.errors:
            attempt.delete()
        return _password_page(request, form, asks_old)
    throttle.succeeded(attempt)
    passwords.set_password(user, form.cleaned_data["new_password1"])
    signing_in.password_was_set(request, user)
    messages.success(request, _what_goes_on(user.tokens.usable(now).count()))
    return redirect("account")


def _password_page(
    request: HttpRequest, form: SetPasswordForm, asks_old: bool, wait: throttle.Wait | None = None
) -> HttpResponse:
    has_password = signed_in(request).has_usable_password()
    context = {"form": form, "has_password": has_password, "asks_old": asks_old, "wait": wait}
    status = 429 if wait else 422 if form.errors else 200
    return render(request, "settings/password.html", context, status=status)


def _what_goes_on(tokens: int) -> str:
    done = "Your password is set. You are signed out everywhere but here."
    if not tokens:
        return done
    kept = "API token still works" if tokens == 1 else "API tokens still work"
    return f"{done} {tokens} {kept}: see below, and revoke what should not."


@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    count = signing_in.end_other_sessions(request, signed_in(request))
    others = "no other session was open" if not count else f"sessions ended: {count}"
    messages.success(request, f"You are signed in here only; {others}.")
    return redirect("account")


@require_POST
def session_end(request: HttpRequest, digest: str) -> HttpResponse:
    """Sign one browser out."""
    found = get_object_or_404(Session.objects.allowed(signed_in(request)), pk=digest)
    signing_in.end_session(found)
    messages.success(request, "That session has ended.")
    return redirect("account")


@require_POST
def own_token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the own tokens, in whatever workspace it is."""
    token = get_object_or_404(ApiToken.objects.allowed(signed_in(request)), pk=pk)
    services.revoke_token(token, timezone.now())
    messages.success(request, f"The token “{token.name}” no longer works.")
    return redirect("account")
