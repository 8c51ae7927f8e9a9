"""Make an administrator with a password, or give one a new password."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from studio import bootstrap
from studio.commands import PersonsCommand
from studio.people import accounts


class Command(PersonsCommand):
    """For whoever may run commands on this machine; also before the first start."""

    help = (
        "Make NAME an administrator of the studio with a password: asked for twice, or the first "
        "line of standard input. An account of that name gets the password and the right."
    )
    # Checks need the database, which this command itself makes.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The password is no argument: those are there for every process to see."""
        parser.add_argument("name")
        parser.add_argument("--email", default="", help="where mail for this person goes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, check, write."""
        bootstrap.migrate()
        password = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        try:
            user, is_new = accounts.set_up_owner(options["name"], password, options["email"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        done = "is an administrator now" if is_new else "has a new password and is an administrator"
        self.stdout.write(f"{user} {done}.")


def _asked() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same once more: ") != password:
        raise CommandError("These two differ. Nothing was changed.")
    return password
