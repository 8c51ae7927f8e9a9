"""Start the studio: web, queue, engine and tracking under one supervisor."""

import gc
import os
import signal
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from studio import bootstrap
from studio.env import WILDCARDS, url_host
from studio.hosts import PARTS, own_folder
from studio.models import Compute, User
from studio.parts import managed, parts, prepare_others, prepare_web, witness
from studio.supervisor import home, processes
from studio.supervisor.fork import entitle
from studio.supervisor.lines import say
from studio.supervisor.part import monotonic
from studio.supervisor.supervisor import Supervisor


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
        parser.add_argument(
            "--parts",
            metavar="NAMES",
            help=f"only these of {','.join(PARTS)}; other hosts have the others (STUDIO_PARTS)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, set up, supervise."""
        # Databases, logs and artifacts are this user's alone, whatever the shell allows.
        os.umask(0o077)
        if options["parts"] is not None:
            _start_as(options["parts"])
        entitle("supervisor")
        place, held = own_folder(), ExitStack()
        if settings.STUDIO_NODE:
            held.enter_context(home.share(settings.STUDIO_HOME))
        held.enter_context(home.lock(place, settings.STUDIO_URL))
        patience_s = home.ORPHAN_S if home.was_killed(place) else 0.0
        for name in home.end_leftovers(place):
            say("studio", f"ended {name}, left by an earlier start")
        listeners = [home.listen(host, settings.STUDIO_PORT, patience_s) for host in _hosts()]
        processes.become_subreaper()
        settings.TRACKING_PORT = settings.TRACKING_LISTEN[1] or home.free_port()
        settings.STARTED_S = monotonic()
        for number in (signal.SIGTERM, signal.SIGHUP):  # until the supervisor takes them
            signal.signal(number, _leave)
        mine = parts(settings.TRACKING_PORT, listeners)
        supervisor = Supervisor(place, mine, f"{_loopback()}/healthz", witness())
        if "tracking" in supervisor.parts:
            supervisor.start("tracking")  # imports MLflow, for seconds
        try:
            owner = _set_up()

            def ready() -> None:
                say("studio", f"ready: {_what()}")
                if options["then"]:
                    words = options["then"].split()
                    supervisor.run_once(words[0], managed(*words))

            with held:
                code = supervisor.run(
                    ready, options["leave_trials"], lambda: _announce(owner), _prepare
                )
        except BaseException:
            supervisor.abandon()
            raise
        sys.exit(code)


def _start_as(names: str) -> None:
    """Begin anew with the parts that the command line names: settings go by the environment."""
    words = [word for word in sys.argv[1:] if word not in ("--parts", names)]
    words = [word for word in words if not word.startswith("--parts=")]
    os.environ["STUDIO_PARTS"] = names
    os.execv(sys.executable, [sys.executable, sys.argv[0], *words])  # noqa: S606


def _what() -> str:
    """What is ready."""
    if not settings.STUDIO_NODE:
        return str(settings.STUDIO_URL)
    return f"{settings.STUDIO_URL} ({', '.join(settings.STUDIO_PARTS)} on {settings.STUDIO_NODE})"


def _leave(number: int, _frame: object) -> None:
    """An end in good order for who is asked to end while starting."""
    raise SystemExit(128 + number)


def _set_up() -> User:
    """What web needs: tables, files, first rows, and its imports in memory."""
    with bootstrap.static_files(), bootstrap.alone():
        bootstrap.migrate()
        bootstrap.refuse_without_owner()
        owner = bootstrap.first_rows(timezone.now())
        prepare_web()
    return owner


def _prepare() -> None:
    prepare_others()
    gc.enable()  # off since our start, for the sake of the imports


def _loopback() -> str:
    return f"http://{url_host(settings.STUDIO_HOST)}:{settings.STUDIO_PORT}"


def _hosts() -> list[str]:
    """Where to listen: always on loopback too, for that is where trials reach the gateway."""
    host = settings.STUDIO_HOST
    if host == "localhost":
        return ["127.0.0.1"]
    return [host] if host in ("127.0.0.1", *WILDCARDS) else [host, "127.0.0.1"]


def _announce(owner: User) -> None:
    """Pages are there, and the rest follows."""
    if "web" not in settings.STUDIO_PARTS:
        connections.close_all()
        return
    say("studio", f"pages: {settings.STUDIO_URL} (trials start as soon as MLflow is up)")
    if not owner.has_usable_password():
        if _may_show_link(owner):
            link = bootstrap.new_sign_in_link(owner, timezone.now())
            say("studio", f"sign in (works once, within an hour): {link}")
        else:
            say("studio", "sign in: `manage.py signin` prints a link")
    connections.close_all()


def _may_show_link(owner: User) -> bool:
    """On a terminal. What is written elsewhere, others may read later: there only the first link
    stands, which is used as soon as there is a studio, and none where trials are kept apart."""
    if sys.stdout.isatty():
        return True
    is_apart = settings.STUDIO_ISOLATED_ONLY or Compute.objects.filter(isolated=True).exists()
    return owner.last_login is None and not is_apart
