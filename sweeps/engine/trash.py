"""Removing what strangers made: thrown away at once, emptied here, in a thread of the engine.

Somebody's 700,000 files take minutes. So neither the engine's loop nor a worker of the queue
removes any: they move it into the trash (`stores/trash.py`), and this thread removes it a moment at
a time, of each group in turn, for no more than two fifths of the time. What an engine that was
killed left there is the next one's.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from sweeps.stores import handover, trash
from sweeps.stores.removal import remove_tree

log = logging.getLogger(__name__)
# A moment's work, and the rest after it by the work that it was.
PART_S, REST = 0.4, 1.5


def places() -> list[Path]:
    """Folders of the home in which strangers' files lie."""
    return [Path(settings.STUDIO_HOME) / name for name in handover.PASSABLE]


def throw_away(thing: Path) -> bool:
    """Have a file or folder of the home out of the way now, and removed soon; False if there is
    none. Raises OSError, and ValueError for what lies elsewhere."""
    home = Path(settings.STUDIO_HOME)
    return trash.throw_away(home / thing.relative_to(home).parts[0], thing)


class Trash:
    """The thread of this engine, while there is something for it to do."""

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep = sleep
        self._thread: threading.Thread | None = None
        # What cannot be removed: tried again by the next engine.
        self._stuck: set[Path] = set()

    def look(self) -> None:
        """Begin to remove what has been thrown away. Raises OSError."""
        if self._thread and self._thread.is_alive():
            return
        if next(self._firsts(), None) is not None:
            # A daemon: an engine that is to end does not wait for it.
            self._thread = threading.Thread(target=self._run, name="trash", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            self.empty()
        except Exception:
            log.exception("what was thrown away is removed later")

    def empty(self) -> None:
        """Remove all there is, a part of each group's in turn. Raises OSError."""
        while things := list(self._firsts()):
            for thing in things:
                began = time.monotonic()
                self._remove_some(thing)
                self._sleep(REST * (time.monotonic() - began))

    def _remove_some(self, thing: Path) -> None:
        try:
            remove_tree(thing, PART_S)
        except OSError as error:
            self._stuck.add(thing)
            log.warning("%s stays: %s", thing, error)

    def _firsts(self) -> Iterator[Path]:
        """One thing of each group."""
        seen = set()
        for place in places():
            for group, thing in trash.thrown_away(place):
                if group not in seen and thing not in self._stuck:
                    seen.add(group)
                    yield thing
