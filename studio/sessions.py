"""Sessions in the database (SESSION_ENGINE): Django's, with whose each is, and no key in clear.

A copy of the database opens nobody's session: it holds digests of the keys.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from studio.models.session import Session
from studio.models.token import digest

# In a session's data: address, agent and time of the sign-in.
ORIGIN = "origin"
_LENGTH = 40


def kept_as(key: str) -> str:
    """What the database holds instead of a session's key: 160 bits of its SHA-256."""
    return digest(key)[:_LENGTH]


class SessionStore(DatabaseStore):
    """Django's store, but for how rows are found and what is in them."""

    @classmethod
    def get_model_class(cls) -> type[Session]:  # type: ignore[override]
        """Our table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        found = Session.objects.filter(
            session_key=kept_as(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key: str | None = None
        return found

    def exists(self, session_key: str) -> bool:
        """True if there is such a session."""
        return Session.objects.filter(session_key=kept_as(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:  # type: ignore[override]
        """The row to save."""
        origin = data.get(ORIGIN, {})
        at = origin.get("at")
        return Session(
            session_key=kept_as(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get(SESSION_KEY),
            address=origin.get("address", ""),
            agent=origin.get("agent", ""),
            signed_in_at=datetime.fromisoformat(at) if at else None,
        )

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one if none is named."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=kept_as(key)).delete()
