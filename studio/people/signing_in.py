"""The one place where a browser becomes somebody's, and where such sessions end."""

from datetime import datetime, timedelta

from django.contrib.auth import SESSION_KEY, login, update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from studio import audit
from studio.models import Session, SignInLink, User
from studio.models.token import digest
from studio.peers import client_address
from studio.sessions import ORIGIN, kept_as

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
# So long after coming by a one-time link one may set a password without the old one.
LINK_IS_FRESH = timedelta(minutes=15)


def unused_sign_in_link(secret: str, now: datetime) -> SignInLink | None:
    """The link, with its person, if it would sign in; it stays as it is."""
    links = SignInLink.objects.filter(digest=digest(secret), user__is_active=True)
    return links.filter(used_at=None, expires_at__gt=now).select_related("user").first()


def redeem_sign_in_link(secret: str, now: datetime) -> SignInLink | None:
    """The link, with its person, once; None if it is unknown, used or too old."""
    links = SignInLink.objects.filter(digest=digest(secret), user__is_active=True)
    # Compare-and-set: two tabs that open the link at once sign in one of them.
    if not links.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    return links.select_related("user").get()


def sign_in(request: HttpRequest, user: User, how: str, backend: str = MODEL_BACKEND) -> None:
    """Make the browser behind `request` the person's; `how`: password, link, invitation,
    oidc, proxy.

    The session always gets a new key, also where the same person signs in once more.
    """
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    if SESSION_KEY in request.session:
        request.session.flush()
    login(request, user, backend=backend)
    request.session.set_expiry(None)  # it may have been short before
    request.session[ORIGIN] = {
        "address": client_address(request),
        "agent": request.headers.get("User-Agent", "").replace("\0", "")[:200],
        "at": now.isoformat(),
        "how": how,
    }


def came_by_link(request: HttpRequest, now: datetime) -> bool:
    """True shortly after a one-time link was opened: that proves as much as the old password."""
    origin = request.session.get(ORIGIN, {})
    if origin.get("how") != "link":
        return False
    return now - datetime.fromisoformat(origin["at"]) < LINK_IS_FRESH


def password_was_set(request: HttpRequest, user: User) -> int:
    """After a new password: all other sessions of the person end, this one goes on under a new
    key. Returns how many ended."""
    update_session_auth_hash(request, user)
    request.session.save()
    return end_other_sessions(request, user)


def end_other_sessions(request: HttpRequest, user: User) -> int:
    """Sign the person out everywhere but here; returns how many sessions ended."""
    return end_all_sessions(user, but=kept_as(request.session.session_key or ""))


def end_all_sessions(user: User, but: str = "") -> int:
    """Sign the person out everywhere, now; returns how many sessions ended."""
    with transaction.atomic():
        sessions = Session.objects.filter(user=user).exclude(pk=but)
        count: int = sessions.alive(timezone.now()).count()
        sessions.delete()
        if count:
            audit.note("ended", "session", str(user), changes={"sessions": (count, 0)})
    return count


def end_session(session: Session) -> None:
    """Sign one browser out."""
    with transaction.atomic():
        if Session.objects.filter(pk=session.pk).delete()[0]:
            audit.note("ended", "session", str(session.user), changes={"sessions": (1, 0)})
