"""All accounts of the studio, for its administrators; to others this place does not exist."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from studio.access import signed_in
from studio.models import User
from studio.models.token import SIGN_IN_LINK_LIFETIME
from studio.people import administration, passwords
from studio.services import Refused


def _administrator(request: HttpRequest) -> User:
    user = signed_in(request)
    if not user.is_superuser:
        raise Http404
    return user


def _page(request: HttpRequest, **more: object) -> HttpResponse:
    people = User.objects.annotate(workspace_count=Count("memberships")).order_by(
        "-is_active", "username"
    )
    context = {"people": people, "hours": int(SIGN_IN_LINK_LIFETIME.total_seconds() // 3600)}
    return render(request, "people/list.html", context | more)


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who has an account."""
    _administrator(request)
    return _page(request)


def _change(
    request: HttpRequest, pk: int, change: Callable[[User], None], done: str
) -> HttpResponse:
    """Do it to the person, and say so or why not; `done` has a place for the name."""
    me = _administrator(request)
    person = get_object_or_404(User, pk=pk)
    try:
        change(person)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done.format(person))
    # Whoever has taken the right from themselves sees this page no more.
    still = User.objects.filter(pk=me.pk, is_superuser=True, is_active=True).exists()
    return redirect("people" if still else "home")


@require_POST
def person_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock somebody out, at once."""
    done = "{} is locked out: sessions, tokens and links of this account have ended."
    return _change(request, pk, lambda who: administration.deactivate(who, timezone.now()), done)


@require_POST
def person_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    return _change(request, pk, administration.reactivate, "{} may sign in again.")


@require_POST
def person_promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Make somebody an administrator."""
    done = "{} is an administrator of this studio now."
    return _change(request, pk, lambda who: administration.set_administrator(who, True), done)


@require_POST
def person_demote(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the right to everything from somebody."""
    done = "{} is no longer an administrator."
    return _change(request, pk, lambda who: administration.set_administrator(who, False), done)


@never_cache
@require_POST
def person_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A sign-in link for somebody who forgot the password; only this answer shows it."""
    _administrator(request)
    person = get_object_or_404(User, pk=pk, is_active=True)
    link = passwords.new_sign_in_link(person, timezone.now(), for_password=True)
    return _page(request, new_link=link, new_link_for=person)
