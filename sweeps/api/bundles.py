"""Sweeps as one file, and such files as sweeps."""

import random
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from studio.models import Role
from sweeps import tasks
from sweeps.api import shapes
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.bodies import multipart
from sweeps.api.files import binary, zip_answer
from sweeps.api.intake import files_of
from sweeps.api.lookup import sweep_of
from sweeps.api.once import ticket_of
from sweeps.domain.problems import InvalidInput
from sweeps.intake_bundles import bundled, import_bundle
from sweeps.queries.clock import database_now

router = Router(tags=["bundles"])


@router.get("/workspaces/{ws}/sweeps/{name}/bundle.zip", openapi_extra=binary("application/zip"))
def get_bundle(request: HttpRequest, ws: str, name: str, points: bool = False) -> Any:
    """The sweep as one file: job, code, packages, trials; with `points` all logged values."""
    sweep = sweep_of(request, ws, name)
    origin = request.build_absolute_uri(sweep.get_absolute_url())
    parts = bundled(sweep, origin, database_now(), points=points)
    return zip_answer(parts, f"{sweep.name}.zip")


@router.post(
    "/workspaces/{ws}/bundles",
    response={201: shapes.SweepOut},
    openapi_extra=multipart({"bundle": "A bundle, as a sweep's bundle.zip gives it."}, ["bundle"]),
)
def add_bundle(
    request: HttpRequest,
    ws: str,
    replay: bool = False,
    secret: list[str] = Query(default=[]),  # noqa: B008 - ninja's way
) -> Any:
    """Bring a bundle in as an ended sweep with its trials; with `replay` as a new sweep that runs
    the recorded points in their order.

    Its program gets secrets of the workspace only if each of them is named as `secret`; otherwise
    a replay is refused, and the answer names them.
    """
    workspace = workspace_of(request, ws, Role.CONTRIBUTOR)
    file = files_of(request).get("bundle")
    if file is None:
        raise InvalidInput.one("bundle", "Send the bundle as the part “bundle”, a zip.")
    sweep = import_bundle(
        workspace,
        file,  # type: ignore[arg-type]
        file.name or "bundle.zip",
        replay=replay,
        user=token_of(request).user,
        now=database_now(),
        rng=random.SystemRandom(),
        ticket=ticket_of(request),
        granted=secret,
    )
    if replay:
        tasks.advance_sweep(sweep.pk)
    return Status(201, shapes.sweep_out(sweep))
