"""Check the installation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sweeps.management.checkup import examine


class Command(BaseCommand):
    """A line per check; exits with 1 if something is to be mended."""

    help = "Check the installation, and say what to do where something is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding."""
        bad = 0
        for finding in examine():
            mark = "BAD " if finding.remedy else "ok  "
            self.stdout.write(f"{mark} {finding.check:<9} {finding.text}")
            if finding.remedy:
                bad += 1
                self.stdout.write(f"{'':<15}{finding.remedy}")
        if bad:
            raise CommandError(f"To be mended: {bad}.")
