"""Asking clusters what they have, for the page of computes. A cluster may take long to answer, or
never do: threads ask, one per place, and what they last heard is kept."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sweeps.engine.places import Place, place_of
from sweeps.queries.computes import on_clusters
from sweeps.runners.base import Cluster, RunnerError
from sweeps.runners.registry import get_runner
from sweeps.services.computes import record_cluster

log = logging.getLogger(__name__)

EVERY_S = 15.0


def told_by(place: Place) -> dict[str, Any]:
    """What the cluster says now, or why it says nothing."""
    try:
        return asdict(cast(Cluster, get_runner(*place)).overview()) | {"error": ""}
    except RunnerError as error:
        return {"version": "", "groups": [], "error": str(error)}


class Clusters:
    """What each cluster was last heard to say; `ask` stands in for them in tests."""

    def __init__(
        self,
        ask: Callable[[Place], dict[str, Any]] = told_by,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._clock = ask, clock
        self._heard: dict[Place, dict[str, Any]] = {}
        self._asking: set[Place] = set()
        self._due = 0.0

    def look(self, now: datetime) -> None:
        """Keep what was heard, and ask anew where it is time. Never waits for a cluster."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY_S
        for compute in on_clusters():
            place = place_of(compute)
            if heard := self._heard.get(place):
                record_cluster(compute, heard, now)
            else:
                self._due = min(self._due, self._clock() + 1.0)
            if place not in self._asking:
                self._asking.add(place)
                threading.Thread(target=self._hear, args=(place,), daemon=True).start()

    def _hear(self, place: Place) -> None:
        try:
            self._heard[place] = self._ask(place)
        except Exception:
            log.exception("%s could not be asked", place)
        finally:
            self._asking.discard(place)
