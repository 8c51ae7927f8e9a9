"""Downloading the inputs that sweeps wait for: in threads of the engine, a few at a time.

Rows say what is wanted, a lock on the partial file who is at it, and only a finished file gets its
name: whoever is killed, the next engine goes on where the part ends.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from sweeps import tasks
from sweeps.domain.turns import Turns
from sweeps.domain.web_inputs import parse_web_input
from sweeps.engine.trouble import TROUBLE, is_full
from sweeps.models import InputFetch
from sweeps.queries import fetches
from sweeps.queries.clock import database_now
from sweeps.services import fetches as services
from sweeps.stores.downloads import Busy, DownloadFailed, Known, Limits, Version, download

log = logging.getLogger(__name__)

# One workspace has one less: servers take the time that they like, and others need not wait.
AT_ONCE = 4
TELL_S = 0.5
_MB = 2**20

Clock = Callable[[], datetime]


class Stopped(Exception):
    """Nobody wants it any more, or not now."""


def downloads_root() -> Path:
    """Where downloaded inputs are kept."""
    return Path(settings.STUDIO_HOME) / "downloads"


def limits() -> Limits:
    """As the settings say."""
    most, spare = settings.STUDIO_DOWNLOAD_CAP_MB * _MB, settings.STUDIO_MIN_FREE_MB * _MB
    return Limits(most, spare, settings.STUDIO_DOWNLOAD_PRIVATE)


class Downloads:
    """The threads of this engine."""

    def __init__(self) -> None:
        # By address: the workspace that somebody is at it for.
        self._busy: dict[str, int] = {}
        self._turns = Turns()
        self._lock = threading.Lock()

    def look(self, now: datetime) -> None:
        """Begin what is wanted and not begun, of each workspace in turn; of one address one at a
        time."""
        with self._lock:
            busy = dict(self._busy)
        if len(busy) >= AT_ONCE:
            return
        full = [one for one, count in Counter(busy.values()).items() if count >= AT_ONCE - 1]
        due = fetches.due_fetches(now, but=full, at=busy)
        waiting = [(fetch, {fetch.sweep.workspace_id}) for fetch in _first_of_each(due)]
        for fetch in self._turns.pick(AT_ONCE, [{one} for one in busy.values()], waiting):
            with self._lock:
                if fetch.url in self._busy:
                    continue
                self._busy[fetch.url] = fetch.sweep.workspace_id
            # A daemon: an engine that is to end does not wait for somebody's server.
            threading.Thread(target=self._run, args=[fetch], name="download", daemon=True).start()

    def _run(self, fetch: InputFetch) -> None:
        try:
            fetch_input(fetch)
        except (*TROUBLE, OSError) as error:
            log.warning("downloading %s is tried again: %s", fetch.name, error)
        except Exception:
            log.exception("downloading %s went wrong; it is tried again", fetch.name)
        finally:
            connection.close()
            with self._lock:
                self._busy.pop(fetch.url, None)


def _first_of_each(due: Sequence[InputFetch]) -> list[InputFetch]:
    """Of what a workspace wants from one address the first."""
    found: dict[tuple[int, str], InputFetch] = {}
    for fetch in due:
        found.setdefault((fetch.sweep.workspace_id, fetch.url), fetch)
    return list(found.values())


def fetch_input(fetch: InputFetch, clock: Clock = database_now) -> None:
    """Bring what a sweep waits for, and write down what came of it.

    Raises the database's trouble.
    """
    try:
        found = _download(fetch)
    except (Stopped, Busy):
        return
    except DownloadFailed as error:
        if error.again:
            services.put_off(fetch, str(error), clock())
        else:
            services.fail_fetch(fetch, str(error), clock())
    except OSError as error:
        text = "the disk is full" if is_full(error) else str(error)
        services.put_off(fetch, f"{fetch.name} cannot be written: {text}", clock())
    else:
        version = found.version
        services.finish_fetch(fetch, found.digest, found.size, version.etag, version.last_modified)
    tasks.advance_sweep(fetch.sweep_id)


def _download(fetch: InputFetch) -> Known:
    source = parse_web_input(fetch.path)
    told = [0.0]

    def tell(received: int, total: int | None, version: Version) -> None:
        now = time.monotonic()
        if now - told[0] >= TELL_S:
            told[0] = now
            if not fetches.is_wanted(fetch):
                raise Stopped
            services.note_progress(fetch, received, total, version.etag, version.last_modified)

    begun = Version(fetch.etag, fetch.last_modified) if fetch.received else None
    known = _known(fetch, without_asking=bool(source.sha256))
    return download(downloads_root(), source, limits(), tell, known=known, begun=begun)


def _known(fetch: InputFetch, *, without_asking: bool) -> Known | None:
    """What an earlier download of the address found; where the server is not asked whether it still
    gives it out, one of the same workspace."""
    row = fetches.newest_of(fetch.url, fetch.sweep.workspace_id if without_asking else None)
    if row is None:
        return None
    return Known(row.digest, row.received, Version(row.etag, row.last_modified))
