"""Browser sessions, with whose they are: so that a person sees them and can end them."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

if TYPE_CHECKING:
    from django.contrib.sessions.backends.db import SessionStore

    from studio.models.user import User


class SessionQuerySet(models.QuerySet["Session"]):
    """Every read of sessions."""

    def allowed(self, user: "User") -> Self:
        """The person's own ones."""
        return self.filter(user=user.pk)

    def alive(self, now: datetime) -> Self:
        """Those that still sign in."""
        return self.filter(expire_date__gt=now)


class Session(AbstractBaseSession):
    """`session_key` holds a digest of the key (see studio/sessions.py)."""

    user = models.ForeignKey("studio.User", models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    signed_in_at = models.DateTimeField(null=True)

    objects = SessionQuerySet.as_manager()  # type: ignore[assignment,misc]

    class Meta:
        ordering = ["-signed_in_at"]

    @classmethod
    def get_session_store_class(cls) -> "type[SessionStore]":
        """Where sessions are kept."""
        from django.conf import settings
        from django.utils.module_loading import import_string

        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")  # type: ignore[no-any-return]
