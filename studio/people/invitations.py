"""Inviting people into a workspace by a one-time link, and taking such a link up."""

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.urls import reverse

from studio import audit
from studio.models import Invitation, Membership, Role, User, Workspace
from studio.models.invitation import INVITATION_LIFETIME
from studio.models.token import digest, new_secret
from studio.services import NameTaken, Refused

# Whoever owns a workspace has the studio send mail.
PER_DAY = 50


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """One just made; `link` is shown or mailed now and never again."""

    invitation: Invitation
    link: str
    problem: str = ""

    @property
    def is_mailed(self) -> bool:
        """True if it is on its way; else the link has to be handed over."""
        return self.invitation.mailed_at is not None


def invite(
    workspace: Workspace, by: User, *, role: Role, now: datetime, note: str = "", email: str = ""
) -> NewInvitation:
    """Make an invitation, and mail it if there are an address and a mail server.

    Raises Refused for who has made very many within a day.
    """
    since = now - timedelta(days=1)
    if Invitation.objects.filter(invited_by=by, created_at__gt=since).count() >= PER_DAY:
        raise Refused(f"You have invited {PER_DAY} people within a day. Go on tomorrow.")
    secret = new_secret()
    with transaction.atomic():
        made = Invitation.objects.create(
            workspace=workspace,
            role=role,
            note=note,
            email=email,
            digest=digest(secret),
            invited_by=by,
            created_at=now,
            expires_at=now + INVITATION_LIFETIME,
        )
        given = audit.made(role=str(role), until=made.expires_at)
        audit.note("created", "invitation", str(made), workspace=workspace, changes=given)
    link = f"{settings.STUDIO_URL}{reverse('invitation', args=[secret])}"
    problem = _mail(made, link, now) if email and settings.STUDIO_SMTP_URL else ""
    return NewInvitation(made, link, problem)


def _mail(invitation: Invitation, link: str, now: datetime) -> str:
    """Send it; returns what went wrong, "" if nothing."""
    by, where = invitation.invited_by, invitation.workspace.label
    text = (
        f"{by.get_full_name() or by.username} invites you to the workspace “{where}” of a Sweep "
        f"Studio, as {invitation.get_role_display().lower()}.\n\n"
        f"To join, open this within {INVITATION_LIFETIME.days} days; it works once:\n\n{link}\n\n"
        "If you do not know what this is about, ignore it: nothing happens then.\n"
    )
    subject = " ".join(f"Invitation to {where} on Sweep Studio".split())
    try:
        EmailMessage(subject, text, to=[invitation.email]).send()
    except (OSError, smtplib.SMTPException) as error:
        return f"The mail could not be sent ({error})."
    Invitation.objects.filter(pk=invitation.pk).update(mailed_at=now)
    invitation.mailed_at = now
    return ""


def revoke(invitation: Invitation, now: datetime) -> None:
    """End an invitation at once."""
    with transaction.atomic():
        if Invitation.objects.pending().filter(pk=invitation.pk).update(revoked_at=now):
            place = invitation.workspace_id
            audit.note("revoked", "invitation", str(invitation), workspace=place)


def find(secret: str, now: datetime) -> Invitation | None:
    """The invitation behind a link; None if it is unknown, used, revoked or too old."""
    rows = Invitation.objects.usable(now).filter(digest=digest(secret))
    return rows.select_related("workspace", "invited_by").first()


def join(invitation: Invitation, user: User, now: datetime) -> None:
    """Make the person a member, once. Raises Refused if they are one, or the link is used."""
    with transaction.atomic():
        # Compare-and-set: of two who open the link at once one joins.
        rows = Invitation.objects.usable(now).filter(pk=invitation.pk)
        if not rows.update(accepted_at=now, accepted_by=user):
            raise Refused("This invitation was used or revoked meanwhile. Ask for another one.")
        try:
            with transaction.atomic():
                Membership.objects.create(
                    workspace=invitation.workspace, user=user, role=invitation.role, created_at=now
                )
        except IntegrityError as error:
            raise Refused(f"You are a member of “{invitation.workspace.label}” already.") from error
        given = audit.made(role=str(invitation.role), invited_by=str(invitation.invited_by))
        place = invitation.workspace
        audit.note("joined", "member", str(user), workspace=place, changes=given, who=user)


def join_as_somebody_new(
    invitation: Invitation, *, username: str, full_name: str, password: str, now: datetime
) -> User:
    """Make an account of checked values and join. Raises NameTaken and Refused."""
    user = User(username=username, first_name=full_name, date_joined=now)
    user.email = invitation.email
    user.email_is_verified = bool(invitation.email and invitation.mailed_at)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            audit.note("created", "account", str(user), who=user)
            join(invitation, user, now)
    except IntegrityError as error:
        raise NameTaken(f"There is an account “{username}” already.") from error
    return user
