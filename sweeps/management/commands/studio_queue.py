"""The queue process; `manage.py studio` runs it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from huey.contrib.djhuey import HUEY

from sweeps import tasks  # noqa: F401 - registers the tasks


class Command(BaseCommand):
    """Huey's consumer with our settings."""

    help = "Run the queue (started by `manage.py studio`)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT (finish first) or SIGTERM."""
        HUEY.create_consumer(**settings.HUEY["consumer"]).run()
