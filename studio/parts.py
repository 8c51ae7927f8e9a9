"""The parts of a studio: what each process does, and what they need in memory before they fork."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module

from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import connections
from django.urls import get_resolver

from studio.env import kept_secret
from studio.supervisor.fork import Work, command
from studio.supervisor.part import Part


def parts(tracking_port: int, listeners: Sequence[socket.socket]) -> list[Part]:
    """The parts of this host, in the order in which they are stopped."""
    every = _every(tracking_port, tuple(listener.fileno() for listener in listeners))
    wanted = {*settings.STUDIO_PARTS, witness()}
    return [part for part in every if part.name in wanted]


def witness() -> str:
    """The part that answers for all of this host."""
    return "web" if "web" in settings.STUDIO_PARTS else "health"


def _every(tracking_port: int, descriptors: tuple[int, ...]) -> list[Part]:
    health = ("studio_health", "--descriptor", str(descriptors[0] if descriptors else -1))
    return [
        # Its grace covers stopping every trial and putting it back in the queue.
        Part("engine", managed("studio_engine"), grace_s=45.0, seen_in_rows=True, waits=True),
        # SIGINT lets the consumer finish what it is at.
        Part(
            "queue",
            managed("studio_queue"),
            signal.SIGINT,
            grace_s=15.0,
            seen_in_rows=True,
            waits=True,
        ),
        Part("web", _web(descriptors), keep=descriptors),
        Part("health", managed(*health), keep=descriptors),
        # Its imports take seconds of a core: who falls over them must not do so again and again.
        Part("tracking", _tracking(tracking_port), stable_s=15.0, heir="stand-by"),
    ]


def managed(*words: str) -> Work:
    """A management command, run in this process."""
    return lambda: _command(words[0]).run_from_argv(["manage.py", *words])


def prepare_web() -> None:
    """Import what web needs, and let go of every connection: a fork must inherit none."""
    if "web" in settings.STUDIO_PARTS:
        import_module("studio.web")
        get_resolver().url_patterns  # noqa: B018 - imports all views
    else:
        _command("studio_health")
    connections.close_all()


def prepare_others() -> None:
    """The same for engine and queue, which need samplers: as long again as all the rest."""
    for part in {"engine", "queue"} & {*settings.STUDIO_PARTS}:
        needs = getattr(_command(f"studio_{part}"), "prepare", None)
        if needs:
            needs()
    connections.close_all()


def _command(name: str) -> BaseCommand:
    app = get_commands()[name]
    return app if isinstance(app, BaseCommand) else load_command_class(app, name)


def _web(descriptors: Sequence[int]) -> Work:
    def run() -> None:
        from studio.web import Web

        Web(descriptors).run()

    return run


def _tracking(port: int) -> Work:
    """A program of its own: MLflow's imports are large, and start a thread."""
    env = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(settings.BASE_DIR),
        "STUDIO_TRACKING_HOST": settings.TRACKING_LISTEN[0],
        "STUDIO_TRACKING_PORT": str(port),
        "STUDIO_TRACKING_SECRET": kept_secret(settings.TRACKING_SECRET_FILE),
        "STUDIO_TRACKING_STORE": settings.TRACKING_STORE,
        "STUDIO_TRACKING_ARTIFACTS": str(settings.TRACKING_ARTIFACTS),
        "STUDIO_TRACKING_MEMORY_MB": str(settings.TRACKING_MEMORY_MB),
    }
    return command((sys.executable, "-m", "sweeps.tracking.server"), env)
