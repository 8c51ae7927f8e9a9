"""Start the studio: web, queue, engine and tracking under one supervisor."""

import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from studio import bootstrap
from studio.env import WILDCARDS, kept_secret, url_host
from studio.models import User
from studio.supervisor import home, processes
from studio.supervisor.part import Part, say
from studio.supervisor.supervisor import Supervisor

WEB_THREADS = 16


class Command(BaseCommand):
    """Everything a user needs, in one command; Ctrl-C ends it in good order."""

    help = "Start the studio and serve until Ctrl-C."
    # Checks need the database, which this command itself makes.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument(
            "--leave-trials",
            action="store_true",
            help="on Ctrl-C leave running trials running; the next start adopts them",
        )
        parser.add_argument(
            "--then", metavar="COMMAND", help="a management command to run once the studio is up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, set up, supervise."""
        # Databases, logs and artifacts are this user's alone, whatever the shell allows.
        os.umask(0o077)
        place = settings.STUDIO_HOME
        held = home.lock(place, settings.STUDIO_URL)
        patience_s = home.ORPHAN_S if home.was_killed(place) else 0.0
        for name in home.end_leftovers(place):
            say("studio", f"ended {name}, left by an earlier start")
        home.check_port(settings.STUDIO_HOST, settings.STUDIO_PORT, patience_s)
        processes.become_subreaper()
        bootstrap.migrate()
        bootstrap.collect_static()
        owner = bootstrap.first_rows(timezone.now())
        supervisor = Supervisor(place, _parts(), f"{_loopback()}/healthz")

        def ready() -> None:
            _announce(owner)
            if options["then"]:
                supervisor.run_once(options["then"], _manage(*options["then"].split()))

        with held:
            sys.exit(supervisor.run(ready, options["leave_trials"]))


def _loopback() -> str:
    return f"http://{url_host(settings.STUDIO_HOST)}:{settings.STUDIO_PORT}"


def _binds() -> list[str]:
    """Where to listen: always on loopback too, for that is where trials reach the gateway."""
    host, port = settings.STUDIO_HOST, settings.STUDIO_PORT
    hosts = [host] if host in ("127.0.0.1", *WILDCARDS) else [host, "127.0.0.1"]
    if host == "localhost":
        hosts = ["127.0.0.1"]
    return [f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in hosts]


def _announce(owner: User) -> None:
    say("studio", f"ready: {settings.STUDIO_URL}")
    if not owner.has_usable_password():
        link = bootstrap.new_sign_in_link(owner, timezone.now())
        say("studio", f"sign in (works once, within an hour): {link}")
    connections.close_all()


def _manage(*words: str) -> tuple[str, ...]:
    return (sys.executable, str(settings.BASE_DIR / "manage.py"), *words)


def _parts() -> list[Part]:
    """The four parts, in the order in which they are stopped."""
    port = home.free_port()
    env = {**os.environ, "STUDIO_TRACKING_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    binds = [word for bind in _binds() for word in ("--bind", bind)]
    web = (
        sys.executable, "-m", "gunicorn", "studio.wsgi", *binds,
        "--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS),
        "--timeout", "120", "--keep-alive", "75", "--graceful-timeout", "2",
        "--no-control-socket", "--log-level", "warning", "--chdir", str(settings.BASE_DIR),
    )  # fmt: skip
    tracking_env = {
        **env,
        "STUDIO_TRACKING_SECRET": kept_secret(settings.TRACKING_SECRET_FILE),
        "STUDIO_TRACKING_STORE": settings.TRACKING_STORE,
        "STUDIO_TRACKING_ARTIFACTS": str(settings.TRACKING_ARTIFACTS),
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    return [
        # Its grace covers stopping every trial and putting it back in the queue.
        Part("engine", _manage("studio_engine"), env, grace_s=45.0),
        # SIGINT lets the consumer finish what it is at.
        Part("queue", _manage("studio_queue"), env, signal.SIGINT, grace_s=15.0),
        Part("web", web, env),
        Part("tracking", (sys.executable, "-m", "sweeps.tracking.server"), tracking_env),
    ]
