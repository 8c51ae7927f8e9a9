"""Measuring what each workspace takes of the disk, where that is limited.

In a thread of its own, and for no more than a twentieth of the time: a large home has millions of
files. Trials of sweeps that are over change no more, and are measured once per engine. Counted are
trials, artifacts of the experiments of the workspace's sweeps, code and data; what programs of
members store in experiments without a sweep is not.
"""

import logging
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from studio.models import Workspace
from sweeps.engine.trouble import TROUBLE
from sweeps.models import CodeSnapshot, DataUpload, Sweep
from sweeps.queries.clock import database_now
from sweeps.services import room
from sweeps.stores.usage import used

log = logging.getLogger(__name__)
EVERY_S, SHARE = 60.0, 20


class DiskUse:
    """Looks once a minute, or less often where that takes long."""

    def __init__(self) -> None:
        self._next = -math.inf
        self._thread: threading.Thread | None = None
        self._over: dict[str, int] = {}

    def look(self) -> None:
        """Begin to measure, if it is time."""
        if not settings.STUDIO_WORKSPACE_QUOTA_GB or time.monotonic() < self._next:
            return
        if self._thread and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._run, name="disk use", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            self.measure()
        except (*TROUBLE, OSError) as error:
            log.warning("what workspaces take of the disk is measured later: %s", error)
        except Exception:
            log.exception("measuring what workspaces take of the disk went wrong")
        finally:
            connection.close()
            took = time.monotonic() - began
            self._next = time.monotonic() + max(EVERY_S, SHARE * took)

    def measure(self) -> None:
        """Measure every workspace."""
        for workspace in Workspace.objects.order_by("pk"):
            size = sum(self._parts(workspace))
            room.note_measured(workspace.pk, size, database_now())

    def _parts(self, workspace: Workspace) -> Iterator[int]:
        home, artifacts = Path(settings.STUDIO_HOME), Path(settings.TRACKING_ARTIFACTS)
        experiments = set()
        rows = Sweep.objects.kept().filter(workspace=workspace)
        for uid, experiment, is_over in rows.values_list("uid", "experiment_id", "run_closed"):
            if experiment.isalnum():
                experiments.add(experiment)
            if is_over and uid in self._over:
                yield self._over[uid]
                continue
            size = used(home / "trials" / uid)
            if is_over:
                self._over[uid] = size
            yield size
        for experiment in experiments:
            yield used(artifacts / experiment)
        for table in (CodeSnapshot, DataUpload):
            mine = table.objects.filter(workspace=workspace)
            yield mine.aggregate(size=Sum("size"))["size"] or 0
