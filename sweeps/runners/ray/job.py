"""The job of an attempt: its name, what it asks for, and the package that it works in."""

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeps.domain.computes.ray import request_of
from sweeps.runners.base import LaunchSpec, Relay
from sweeps.runners.ray.api import Api
from sweeps.runners.relay import package
from sweeps.runners.relay.desk import fingerprint

# What Ray tells a command of its place: its cluster, and which cards are its own.
KEPT = ("RAY_", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


def name_of(launch: Mapping[str, Any], again: int = 0) -> str:
    """The id that no other submission has: Ray takes it once, and a job whose submission nobody was
    told of is found by it. `again` where Ray gave up the former one before it began."""
    name = "sweep." + re.sub(r"[^A-Za-z0-9._-]", "_", launch["cookie"])[-150:]
    return f"{name}.{again}" if again else name


def request(
    number: str, launch: Mapping[str, Any], relay: Relay, ticket: str, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """What is handed in. Whoever reads the list of jobs sees all of it, so there is no secret in it
    but the ticket, which is good once."""
    words = [relay.url, launch["relay"]["key"], ticket]
    environment: dict[str, Any] = {"working_dir": f"gcs://{package_name(relay)}"}
    if relay.packages:
        environment["pip"] = {"packages": list(relay.packages), "pip_check": False}
    return {
        "submission_id": number,
        # A node's Python may go by either name; in an environment it is `python`.
        "entrypoint": 'exec "$(command -v python || command -v python3)" -I -S '
        f"{package.ENTRY} {shlex.join(words)}",
        "runtime_env": environment,
        "metadata": {"sweep_studio": str(launch["name"])[:200]},
        **request_of(wanted),
    }


def relay_record(spec: LaunchSpec, key: str, ticket: str, lease_s: float) -> dict[str, Any]:
    """What the launch says of the relay, for the desk."""
    relay = spec.relay
    assert relay is not None
    return {
        "ticket": fingerprint(ticket),
        "key": key,
        "keys": str(relay.keys),
        "spool": os.path.abspath(spec.spool),
        "lease_s": lease_s,
        "python": relay.python,
        "machine": [*KEPT, *relay.machine],
        "lent": [str(path) for path in relay.lent],
        "files": relay.files,
        "size": relay.size,
    }


def package_name(relay: Relay) -> str:
    """What Ray calls the package: by its content."""
    return f"_ray_pkg_{package.digest_of(relay.digest)}.zip"


def bring_package(api: Api, relay: Relay) -> None:
    """See to it that the cluster has the package; uploads it where it has not."""
    name = package_name(relay)
    if api.has_package(name):
        return
    with tempfile.TemporaryDirectory(prefix="sweep-package-") as folder:
        path = Path(folder) / name
        package.write(str(path), relay.code)
        api.put_package(name, path.read_bytes())
