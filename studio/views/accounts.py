"""Signing in: by a one-time link, or with a password once one is set."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils import timezone

from studio.services import redeem_sign_in_link


@login_not_required
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in whoever holds an unused link; a used one explains how to get another."""
    if request.method != "GET":
        return _unlogged(HttpResponseNotAllowed(["GET"]))
    user = redeem_sign_in_link(secret, timezone.now())
    if user is None:
        return _unlogged(render(request, "accounts/link_used.html", status=410))
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")


def _unlogged(response: HttpResponse) -> HttpResponse:
    """Keep the address, which is a secret, out of the log that Django writes of refusals."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
