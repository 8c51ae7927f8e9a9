"""Files that strangers wrote, as responses; and whether a trial has any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import StreamingHttpResponse

from sweeps.models import Trial
from sweeps.queries.places import artifacts_at
from sweeps.stores.artifacts import Listing, listing

SANDBOX = "sandbox; default-src 'none'"
# On the trial's own page; the browser of artifacts has the rest.
FIRST = 30


def first_artifacts(root: Path | None) -> Listing | None:
    """The top of a trial's artifacts, below folders that stand alone; None where there are none."""
    found = listing(root, "", size=FIRST) if root else None
    while root and found and found.count == 1 and found.entries[0].is_folder:
        found = listing(root, found.entries[0].path, size=FIRST)
    return found if found and found.count else None


def has_artifacts(trial: Trial) -> bool:
    """True if there is anything to take away."""
    root = artifacts_at(trial.sweep.experiment_id, trial.run_id)
    return root is not None and first_artifacts(root) is not None


def zip_response(parts: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A zip that is made while it is sent; `name` is plain."""
    response = StreamingHttpResponse(parts, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return safe(response)  # type: ignore[return-value]


def safe(response: Any) -> Any:
    """The response, with what keeps a stranger's file from being a page of ours."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = "private, no-store"
    return response
