"""Make a one-time sign-in link."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from studio.bootstrap import new_sign_in_link
from studio.commands import PersonsCommand
from studio.models import User


class Command(PersonsCommand):
    """For whoever may run commands on this machine."""

    help = "Print a link that signs a person in once, within an hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument("--user", help="whose; the first administrator's if unsaid")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        users = User.objects.filter(is_active=True)
        if name := options["user"]:
            user = users.filter(username=name).first()
        else:
            user = users.filter(is_superuser=True).order_by("pk").first()
        if user is None:
            whose = f"account “{name}”" if name else "administrator; start the studio once"
            raise CommandError(f"There is no active {whose}.")
        self.stdout.write(new_sign_in_link(user, timezone.now()))
