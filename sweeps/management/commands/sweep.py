"""Submit, look at and steer sweeps from a terminal of this machine."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.db import DatabaseError

from studio.commands import PersonsCommand
from studio.models import Workspace
from sweeps.client import verbs
from sweeps.client.errors import ResourceNotFoundError, StudioUnavailable
from sweeps.management import convert, made_up
from sweeps.management.local import LocalJobs
from sweeps.management.terminal import terminal_of

# What is done on this machine alone.
_MORE = (convert, made_up)


class Command(PersonsCommand):
    """The verbs of `python -m sweeps.client`, through the services that pages and API use."""

    help = "Submit, list, show and steer sweeps of the studio on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A subcommand per verb."""
        of = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, text: str, subject: str = "NAME") -> ArgumentParser:
            found = of.add_parser(name, help=text, description=f"{text}.")
            found.add_argument("--workspace", default="default")
            found.add_argument("--json", action="store_true", help="print the REST answer")
            if subject:
                found.add_argument("subject", metavar=subject)
            return found

        verbs.add_verbs(verb)
        for more in _MORE:
            more.add_verb(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says; exits with its code where that is not 0."""
        given = Namespace(**options)
        jobs = lambda: LocalJobs(_workspace(given.workspace))  # noqa: E731
        code = verbs.run(jobs, given, terminal_of(self), {one.NAME: one.run for one in _MORE})
        if code:
            sys.exit(code)


def _workspace(name: str) -> Workspace:
    try:
        known = {place.name: place for place in Workspace.objects.all()}
    except DatabaseError as error:
        text = f"The studio's database cannot be read ({error}). Has the studio been started?"
        raise StudioUnavailable(text) from error
    if name not in known:
        there = ", ".join(known) or "none yet"
        raise ResourceNotFoundError(f"No workspace “{name}”. There are: {there}.")
    return known[name]
