"""Signing in and out: by a one-time link, or with a password once one is set."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from studio import oidc
from studio.account_forms import SignInForm
from studio.local_users import counted_for
from studio.models import User
from studio.peers import client_address, is_loopback
from studio.people import throttle
from studio.people.signing_in import redeem_sign_in_link, sign_in, unused_sign_in_link
from studio.proxies import named_by_proxy

_WITHOUT = (
    "You have no password yet, so the next time you would need such a link again. "
    '<a href="{}">Set a password</a>'
)


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(auth.LoginView):
    """Name and password, so many times; then somebody has to wait."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whoever sits at the machine itself can make a link: there, how is shown at once."""
        here = is_loopback(client_address(self.request))
        button = settings.STUDIO_OIDC_BUTTON if oidc.is_on() else ""
        stranger = named_by_proxy(self.request)
        return super().get_context_data(
            is_here=here, oidc_button=button, stranger=stranger, **kwargs
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check what was typed, unless it was tried too often."""
        name = request.POST.get("username", "")
        attempt = throttle.begin(name, counted_for(request), timezone.now())
        if isinstance(attempt, throttle.Wait):
            return self._wait(attempt)
        form = self.get_form()
        if not form.is_valid():
            return self.form_invalid(form)
        throttle.succeeded(attempt)
        user = form.get_user()
        assert isinstance(user, User)
        sign_in(request, user, "password")
        return HttpResponseRedirect(self.get_success_url())

    def _wait(self, wait: throttle.Wait) -> HttpResponse:
        """The page again, with what to do; the password is not looked at."""
        form = self.get_form_class()(self.request, initial=self.request.POST.dict())
        context = self.get_context_data(form=form, wait=wait)
        response = self.render_to_response(context, status=429)
        response["Retry-After"] = str(wait.seconds)
        return response


class SignOut(auth.LogoutView):
    """Ends the session; what the browser has kept of the studio goes with it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out. Cookies are left alone: browsers would clear those of other ports too."""
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@login_not_required
@never_cache
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in whoever holds an unused link; a used one explains how to get another.

    Opened from a terminal or typed it signs in at once. Another site could lead somebody to a link
    of its own, to have them work in its account: from there it takes a click.
    """
    if request.method not in ("GET", "POST"):
        return unlogged(HttpResponseNotAllowed(["GET", "POST"]))
    now = timezone.now()
    if request.method == "GET" and _was_led_here(request):
        link = unused_sign_in_link(secret, now)
        page = "accounts/link.html" if link else "accounts/link_used.html"
        return unlogged(render(request, page, {"link": link}, status=200 if link else 410))
    link = redeem_sign_in_link(secret, now)
    if link is None:
        return unlogged(render(request, "accounts/link_used.html", status=410))
    sign_in(request, link.user, "link")
    if link.for_password:
        return redirect("password_change")
    if not link.user.has_usable_password():
        messages.info(request, format_html(_WITHOUT, reverse("password_change")))
    return redirect("home")


def _was_led_here(request: HttpRequest) -> bool:
    """True for what another page asked for, or the browser ahead of its person.

    Browsers say so (https://www.w3.org/TR/fetch-metadata/) to loopback and over TLS.
    """
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("none", "same-origin") or "prefetch" in request.headers.get(
        "Sec-Purpose", ""
    )


def unlogged(response: HttpResponse) -> HttpResponse:
    """Keep the address, which is a secret, out of the log that Django writes of refusals."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
