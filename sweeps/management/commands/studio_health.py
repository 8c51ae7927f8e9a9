"""The process that answers /healthz on a host without web; `manage.py studio` runs it."""

import socket
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.http import HttpRequest

from sweeps.views.health import healthz


class Command(BaseCommand):
    """Some lines of HTTP: its supervisor asks, and whoever probes the host."""

    help = "Answer /healthz (started by `manage.py studio` where web is not)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the command."""
        parser.add_argument("--descriptor", type=int, required=True, help="a listening socket")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer until a signal."""
        listener = socket.socket(fileno=options["descriptor"])
        server = ThreadingHTTPServer(
            listener.getsockname()[:2], HealthHandler, bind_and_activate=False
        )
        server.socket.close()
        server.socket = listener
        server.daemon_threads = True
        server.serve_forever()


class HealthHandler(BaseHTTPRequestHandler):
    """/healthz and nothing else."""

    timeout = 10

    def do_GET(self) -> None:
        """The view's own answer."""
        if self.path.partition("?")[0] != "/healthz":
            self.send_error(404)
            return
        request = HttpRequest()
        request.method, request.path = "GET", "/healthz"
        try:
            answer = healthz(request)
        finally:
            close_old_connections()
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *args: Any) -> None:
        """Nothing: it is asked every few seconds."""
