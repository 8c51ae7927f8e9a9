"""Logging without the MLflow client, whose import takes seconds: the REST call it makes.

Over a bare socket: even `http.client` takes as long to import as a whole toy trial lasts.
"""

import json
import os
import socket
import time

# As long as MLflow's own client asks again before it gives up, about.
PATIENCE_S = 240.0


def log(name: str, value: object, step: int = 0) -> None:
    """What `mlflow.log_metric` sends."""
    now = int(time.time() * 1000)
    log_all([{"key": name, "value": value, "timestamp": now, "step": step}])


def log_all(metrics: "list[dict[str, object]]") -> None:
    """What `MlflowClient.log_batch` sends; a single value goes the way of `log_metric`."""
    run = {"run_id": os.environ["MLFLOW_RUN_ID"]}
    if len(metrics) == 1:
        post("runs/log-metric", {**run, **metrics[0]})
    else:
        post("runs/log-batch", {**run, "metrics": metrics})


def post(path: str, body: "dict[str, object]") -> None:
    """Send it until it is taken: a busy or restarting server is asked again, a refusal is told."""
    give_up, wait = time.monotonic() + PATIENCE_S, 0.1
    while True:
        try:
            status, answer = _ask(path, json.dumps(body).encode())
        except (OSError, ValueError):
            status, answer = 503, b"{}"
        if status == 200:
            return
        if status not in (429, 500, 502, 503, 504):
            raise SystemExit(json.loads(answer)["message"])
        if time.monotonic() > give_up:
            raise SystemExit(f"{path} was never taken: {status} {answer!r}")
        time.sleep(wait)
        wait = min(2 * wait, 2.0)


def _ask(path: str, body: bytes) -> "tuple[int, bytes]":
    """One request and its answer. Raises ValueError for an answer that was cut off."""
    place, _, prefix = os.environ["MLFLOW_TRACKING_URI"].partition("//")[2].partition("/")
    host, _, port = place.rpartition(":")
    head = (
        f"POST /{prefix}/api/2.0/mlflow/{path} HTTP/1.0\r\nHost: {place}\r\n"
        f"Authorization: Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    status, _, rest = answer.partition(b"\r\n")
    if not rest:
        raise ValueError("it was killed before it answered")
    return int(status.split(b" ")[1]), rest.partition(b"\r\n\r\n")[2]
