#!/usr/bin/env python
"""The studio's command line: `manage.py studio` starts it, `manage.py help` lists the rest."""

import gc
import os
import sys


def main() -> None:
    """Run a management command; a wrong configuration is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
    if sys.argv[1:2] == ["studio"]:
        # A quarter of its start went into looking for garbage among what it imports, where there
        # is none. It looks again once all is imported, and its parts from their start.
        gc.disable()
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"{error}. Run `make setup` first, or use .venv/bin/python.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"studio: {error}")
    except KeyboardInterrupt:
        # Ctrl-C while the studio sets itself up: nothing runs yet that could be ended in order.
        sys.exit(130)


if __name__ == "__main__":
    main()
