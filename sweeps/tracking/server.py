"""MLflow's own server app in one uvicorn process, on loopback, behind a shared secret.

Run by the supervisor as `python -m sweeps.tracking.server` with these variables:
`STUDIO_TRACKING_PORT`, `STUDIO_TRACKING_SECRET`, `STUDIO_TRACKING_STORE` (an SQLAlchemy URL,
`sqlite:////abs/mlflow.db`), `STUDIO_TRACKING_ARTIFACTS` (an absolute directory),
`STUDIO_TRACKING_MEMORY_MB` (0: as much as there is) and `STUDIO_TRACKING_HOST` (else loopback).

We start the app ourselves and not by `mlflow server`, because that adds a parent process that
leaves an orphan on the port after kill -9, and because its multi-worker socket lacks TCP_NODELAY
(40 ms per request). Importing it takes seconds of a core, so a process that has done so forks the
one that serves, and another one when that was killed. The
secret travels in the environment: a command line is public on a host.
"""

import hmac
import os
import socket
import sys
import uuid
import warnings
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.memory import bound_memory
from sweeps.tracking.stand_in import stand_in

HOST = "127.0.0.1"
GATE_HEADER = "X-Studio-Secret"
GRACE_S = 3
# Longer than any client of ours keeps an idle connection, so that the client closes first and
# never writes a request into a connection that the server is just closing.
KEEP_ALIVE_S = 75


@dataclass(frozen=True)
class Settings:
    """What the supervisor tells the tracking server."""

    port: int
    secret: str
    store_uri: str
    artifacts: str
    memory_mib: int = 0
    host: str = HOST


def read_settings(environ: MutableMapping[str, str]) -> Settings:
    """Take our settings out of `environ`, which no longer holds the secret afterwards.

    Raises SystemExit naming the variable that is missing or wrong.
    """
    names = ("PORT", "SECRET", "STORE", "ARTIFACTS")
    values = {name: environ.pop(f"STUDIO_TRACKING_{name}", "") for name in names}
    memory = environ.pop("STUDIO_TRACKING_MEMORY_MB", "") or "0"
    host = environ.pop("STUDIO_TRACKING_HOST", "") or HOST
    for name, value in values.items():
        if not value:
            raise SystemExit(f"STUDIO_TRACKING_{name} must be set for the tracking server.")
    port = values["PORT"]
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SystemExit(f"STUDIO_TRACKING_PORT must be from 1 to 65535, but got {port!r}.")
    if not Path(values["ARTIFACTS"]).is_absolute():
        raise SystemExit(
            f"STUDIO_TRACKING_ARTIFACTS must be an absolute path, but got {values['ARTIFACTS']!r}."
        )
    if not memory.isascii() or not memory.isdigit():
        raise SystemExit(f"STUDIO_TRACKING_MEMORY_MB must be a number, but got {memory!r}.")
    place = values["STORE"], values["ARTIFACTS"]
    return Settings(int(port), values["SECRET"], *place, memory_mib=int(memory), host=host)


def mlflow_environment(settings: Settings) -> dict[str, str]:
    """The variables MLflow's app reads while it is imported and at its first request."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": settings.store_uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": settings.store_uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": Path(settings.artifacts).as_uri(),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_BOOT_ID": uuid.uuid4().hex,
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # Elsewhere it has as many names as there are ways to it; the secret is what lets in.
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"{HOST},{HOST}:*" if settings.host == HOST else "*",
        # One for each of its threads: who found none for 30 s would be told 400.
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "16",
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "24",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def configure_mlflow(environ: MutableMapping[str, str], settings: Settings) -> None:
    """Replace every MLflow variable of the caller's shell by ours: this server's are ours alone."""
    for name in [n for n in environ if n.startswith(("MLFLOW_", "_MLFLOW_"))]:
        del environ[name]
    environ.update(mlflow_environment(settings))


class SecretGate:
    """ASGI wrapper: without the secret the answer is 401, `/health` included."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_open_to(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            body = b'{"error_code": "UNAUTHENTICATED", "message": "The secret is missing."}'
            await send({"type": "http.response.body", "body": body})

    def _is_open_to(self, scope: Scope) -> bool:
        given = [v for k, v in scope["headers"] if k == GATE_HEADER.lower().encode()]
        return len(given) == 1 and hmac.compare_digest(given[0], self._secret)


def load_app() -> ASGIApp:
    """Import MLflow's app, which takes seconds. Its variables must be set before."""
    with warnings.catch_warnings():
        # MLflow still mounts Flask through Starlette's deprecated WSGI adapter.
        warnings.simplefilter("ignore")
        from mlflow.server.fastapi_app import app
    return app


def open_stores() -> None:
    """Open MLflow's stores now, so that healthy means ready: else the first request would."""
    from mlflow.server import handlers

    stores: Any = handlers
    stores._get_tracking_store()
    stores._get_model_registry_store()


def listen(port: int, host: str = HOST) -> socket.socket:
    """The socket that each server in turn accepts on.

    Its protocol is named because asyncio sets TCP_NODELAY only then.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    return listener


def serve(app: ASGIApp, settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then finish open requests for at most `GRACE_S` seconds."""
    # What a request loads of MLflow's tables stands there eight times.
    bound_memory(settings.memory_mib)
    open_stores()
    config = uvicorn.Config(
        SecretGate(app, settings.secret),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    """Serve until SIGTERM or SIGINT; a server that was killed is back within a moment."""
    settings = read_settings(os.environ)
    configure_mlflow(os.environ, settings)
    from sweeps.tracking.schema import ensure_schema

    ensure_schema(settings.store_uri, settings.artifacts)
    app, listener = load_app(), listen(settings.port, settings.host)
    sys.exit(stand_in(lambda: serve(app, settings, listener)))


if __name__ == "__main__":
    main()
