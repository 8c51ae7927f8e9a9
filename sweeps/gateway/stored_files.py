"""How many files a run or logged model may be sent, and under how long names."""

import os
import threading
from collections import OrderedDict
from pathlib import Path

from django.conf import settings

from sweeps.gateway.refusals import Refusal, invalid
from sweeps.gateway.routes import artifact_owner
from sweeps.stores.artifacts import artifacts

MOST_PATH = 500
# Runs and models of which the number is kept in memory.
_KEPT = 10_000

_lock = threading.Lock()
# By folder: as many as there are, or more, since one may come again.
_known: OrderedDict[Path, int] = OrderedDict()


def require_room(path: str) -> None:
    """Raises Refusal for one file more than there may be, or a name that is too long.

    `path` is where the file is to lie below the root of all artifacts.
    """
    path = path.removesuffix("/")
    owner = artifact_owner(path)
    if owner is None:
        return
    if len(owner.rest) > MOST_PATH:
        raise invalid(f"The path of an artifact has {MOST_PATH} characters at most.")
    top = Path(settings.TRACKING_ARTIFACTS) / path[: len(path) - len(owner.rest)]
    most = settings.STUDIO_OUTPUT_MAX_FILES
    count = _known.get(top, most)
    if count >= most:
        count = len(artifacts(top, most=most))
        if count >= most and not os.path.lexists(top / owner.rest):
            text = f"A run can hold {most:,} files. Log a folder of many as one archive."
            raise Refusal(413, "RESOURCE_EXHAUSTED", text)
    with _lock:
        _known[top] = count + 1
        _known.move_to_end(top)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
