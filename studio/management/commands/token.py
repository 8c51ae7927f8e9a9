"""Make an API token."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from studio.commands import PersonsCommand
from studio.models import Membership, Role, User, Workspace
from studio.services import create_token

MOST_DAYS = 36_500


class Command(PersonsCommand):
    """Prints the token alone on stdout, so that a script can catch it."""

    help = "Make an API token for a workspace and print it (once)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument("--workspace", default="default")
        parser.add_argument("--role", choices=Role.values, default=Role.CONTRIBUTOR.value)
        parser.add_argument("--name", default="command line", help="what you will know it by")
        parser.add_argument("--days", type=int, help="ends after so many days; never if unsaid")
        parser.add_argument("--user", help="whose token it is; the first administrator's if unsaid")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, print it."""
        workspace = Workspace.objects.filter(name=options["workspace"]).first()
        if workspace is None:
            known = ", ".join(Workspace.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"No workspace “{options['workspace']}”. There are: {known}.")
        users = User.objects.filter(is_active=True).order_by("-is_superuser", "pk")
        if options["user"]:
            users = users.filter(username=options["user"])
        user = users.first()
        if user is None:
            raise CommandError("No such person. Start the studio once, or name one by --user.")
        if Membership.objects.role_of(user, workspace) is None:
            raise CommandError(f"{user} is no member of “{workspace}”: the token would be dead.")
        now, days = timezone.now(), options["days"]
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS:,}.")
        made = create_token(
            workspace,
            user,
            role=Role(options["role"]),
            name=options["name"],
            now=now,
            expires_at=now + timedelta(days=days) if days else None,
        )
        self.stdout.write(made.secret)
