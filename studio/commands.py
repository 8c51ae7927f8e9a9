"""Commands by which people change something: their entries of the audit log say "command line"."""

from typing import Any

from django.core.management.base import BaseCommand

from studio import actor


class PersonsCommand(BaseCommand):
    """Of `manage.py`, run by somebody who may do so on this machine."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As all commands are, with an actor."""
        with actor.acting(actor.of_command()):
            return super().execute(*args, **options)
