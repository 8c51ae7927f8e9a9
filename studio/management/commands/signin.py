"""Make a one-time sign-in link."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from studio.bootstrap import OWNER, new_sign_in_link
from studio.commands import PersonsCommand
from studio.models import User


class Command(PersonsCommand):
    """For whoever may run commands on this machine."""

    help = "Print a link that signs a person in once, within an hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument("--user", default=OWNER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account “{options['user']}”.")
        self.stdout.write(new_sign_in_link(user, timezone.now()))
