"""The engine process; `manage.py studio` runs it."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from sweeps.engine.loop import Engine


class Command(BaseCommand):
    """Watch running trials until SIGTERM (put them back in the queue) or SIGHUP (leave them)."""

    help = "Run the engine (started by `manage.py studio`)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal."""
        engine = Engine()
        signal.signal(signal.SIGTERM, lambda *_: engine.end(put_back=True))
        signal.signal(signal.SIGINT, lambda *_: engine.end(put_back=True))
        signal.signal(signal.SIGHUP, lambda *_: engine.end(put_back=False))
        engine.run()
