"""Tables of the place: people, workspaces, computes, tokens."""

from studio.models.attempt import SignInAttempt
from studio.models.audit import AuditEntry
from studio.models.compute import Compute
from studio.models.identity import Identity
from studio.models.invitation import Invitation
from studio.models.os_user import OsUser
from studio.models.secret import Secret
from studio.models.session import Session
from studio.models.token import ApiToken, SignInLink
from studio.models.user import User
from studio.models.workspace import Membership, Role, Workspace

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Compute",
    "Identity",
    "Invitation",
    "Membership",
    "OsUser",
    "Role",
    "Secret",
    "Session",
    "SignInAttempt",
    "SignInLink",
    "User",
    "Workspace",
]
