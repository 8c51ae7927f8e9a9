"""Requests made from the OpenAPI document by schemathesis, sent through Django's WSGI app.

`make fuzz-api N=10000` sends so many and prints a report.
What must hold: no 5xx, only statuses, content types and bodies that the document tells of.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from typing import Any

SEED = 20260301
# Things that exist, so that more than a 404 is met.
KNOWN = {"ws": "default", "name": "fuzzed", "number": 0, "stream": "stdout", "path": "a.txt"}


def operations() -> list[Any]:
    """Every operation of the document, those that delete last."""
    import schemathesis

    from studio.wsgi import application

    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    found = [one.ok() for one in schema.get_all_operations()]
    return sorted(found, key=lambda one: one.method.lower() == "delete")  # the stage stands long


def send(operation: Any, count: int, seed: int, told: Counter[str], headers: Any) -> list[str]:
    """Send `count` requests of one operation; what was wrong with the answers."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error, status_code_conformance, content_type_conformance,
        response_schema_conformance,
    ]  # fmt: skip
    wrong: list[str] = []
    chance = random.Random(seed)
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    for mode in modes:
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except Exception as error:  # an operation with nothing to get wrong
            told[f"no {mode.value} cases: {type(error).__name__}"] += 1
            continue

        @seeded(seed)
        @settings(
            max_examples=max(1, count // 2),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def one(case: Any) -> None:
            if chance.random() < 0.8:
                for name in list(case.path_parameters or {}):
                    case.path_parameters[name] = KNOWN.get(name, case.path_parameters[name])
            response = case.call(headers=headers)
            told[str(response.status_code)] += 1
            try:
                case.validate_response(response, checks=checks)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                wrong.append(f"{operation.label}: {error}"[:1500])

        try:
            one()
        except Exception as error:
            if type(error).__name__ not in ("Unsatisfiable", "SkipTest"):
                raise
            told["no cases: Unsatisfiable"] += 1
    return wrong


def stage() -> str:
    """A workspace with a compute and a sweep with a trial; an owner's token of it."""
    from django.utils import timezone

    from studio.models import Compute, Membership, Role, User, Workspace
    from studio.services import create_token

    now = timezone.now()
    workspace = Workspace.objects.create(name="default", created_at=now)
    user = User.objects.create_user(username="fuzz", password="fuzz-secret-1")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    compute = Compute.objects.create(workspace=workspace, name="fuzzed", slots=2, is_default=True)
    _sweep(workspace, compute, now)
    return create_token(workspace, user, role=Role.OWNER, name="fuzz", now=now).secret


def artifacts() -> None:
    """An artifact store that holds a.txt for everybody, in the place of the tracking server."""
    import httpx

    from sweeps.api import files

    listing = {"files": [{"path": "a.txt", "is_dir": False, "file_size": 1}]}
    files.look_up = lambda path, query: listing
    files.send = lambda *args, **options: httpx.Response(200, stream=httpx.ByteStream(b"a"))


def _sweep(workspace: Any, compute: Any, now: Any) -> None:
    from sweeps.services import sweeps
    from tests.api.acts import end, log, start
    from tests.conftest import job

    sweep = sweeps.create_sweep(
        workspace, job(name="fuzzed"), compute=compute, code=None, user=None, now=now,
        rng=random.Random(1),
    )  # fmt: skip
    first = sweeps.advance(sweep.pk, now).trials[0]
    attempt = start(first, now)
    log(attempt, [0.5, float("nan")])
    end(attempt, now)


def main() -> int:
    """`python -m tests.api.fuzz -n 10000`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ["STUDIO_HOME"] = tempfile.mkdtemp(
        prefix="studio-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    )
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    try:
        return _report(asked.n, asked.seed)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _report(count: int, seed: int) -> int:
    headers = {"Authorization": f"Bearer {stage()}"}
    found = operations()
    artifacts()
    began, told, wrong = time.monotonic(), Counter[str](), []
    for index, operation in enumerate(found):
        wrong += send(operation, -(-count // len(found)), seed + index, told, headers)
        print(f"{operation.method.upper()} {operation.path}: {len(wrong)} wrong so far", flush=True)
    sent = sum(number for word, number in told.items() if word.isdecimal())
    took = time.monotonic() - began
    print(f"{sent:,} requests to {len(found)} operations in {took:.0f} s, seed {seed}")
    print(", ".join(f"{word}: {number:,}" for word, number in sorted(told.items())))
    for text in sorted(set(wrong))[:40]:
        print("---", text)
    print(f"{len(wrong):,} answers were wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
