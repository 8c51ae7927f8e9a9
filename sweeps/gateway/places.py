"""Where the artifacts lie that a request is about: nothing there may lead elsewhere.

The tracking server follows links within its artifacts, into other runs and workspaces, and waits
for pipes. What a script has planted there by itself is not there for the gateway.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from sweeps.gateway import owners
from sweeps.gateway.refusals import missing
from sweeps.gateway.routes import Names
from sweeps.stores.plain import is_plain_way

Refs = Mapping[Names, tuple[str, ...]]


def require_plain(refs: Refs) -> None:
    """Raises Refusal where what the request names leads over a link, or is a pipe or a device."""
    root = Path(settings.TRACKING_ARTIFACTS)
    for path in _paths(refs):
        if not is_plain_way(root, path.strip("/")):
            raise missing()


def _paths(refs: Refs) -> Iterator[str]:
    """Paths below the root of all artifacts."""
    yield from refs.get(Names.ARTIFACT, ())
    if Names.PATH not in refs:
        return
    for path in refs[Names.PATH] or ("",):
        for run_id in refs.get(Names.RUN, ()):
            yield f"{owners.run(run_id).experiment_id}/{run_id}/artifacts/{path}"
        for model_id in refs.get(Names.MODEL, ()):
            yield f"{owners.model(model_id).experiment_id}/models/{model_id}/artifacts/{path}"
