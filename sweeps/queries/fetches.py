"""What has to be downloaded for sweeps, how far that is, and where it lies."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sweeps.domain.states import Desired
from sweeps.models import InputFetch, Sweep

_MOST_EACH = 20
_MB = 1_000_000


def due_fetches(
    now: datetime, but: Collection[int] = (), at: Collection[str] = ()
) -> list[InputFetch]:
    """Downloads that somebody should be at, oldest first; no more than some of each workspace.

    Without those of the workspaces `but`, and of addresses that somebody is `at`.
    """
    # What failed ended its sweep; a live one has come back, and it is tried anew.
    missing = InputFetch.objects.exclude(state=InputFetch.DONE)
    wanted = missing.filter(sweep__desired=Desired.RUN, sweep__ended_at=None)
    due = wanted.exclude(not_before__gt=now).exclude(sweep__workspace__in=but)
    due = due.exclude(url__in=at)
    found: list[InputFetch] = []
    for workspace in due.order_by().values_list("sweep__workspace", flat=True).distinct():
        # Many of one must not hide those of another.
        own = due.filter(sweep__workspace=workspace)
        found += own.select_related("sweep").order_by("pk")[:_MOST_EACH]
    return sorted(found, key=lambda fetch: fetch.pk)


def is_wanted(fetch: InputFetch) -> bool:
    """False once its sweep is paused, ended or cancelled."""
    rows = InputFetch.objects.filter(pk=fetch.pk)
    return rows.filter(sweep__desired=Desired.RUN, sweep__ended_at=None).exists()


def newest_of(url: str, workspace_id: int | None = None) -> InputFetch | None:
    """The last download of an address that went well, for whichever sweep (of the workspace)."""
    done = InputFetch.objects.filter(url=url, state=InputFetch.DONE)
    if workspace_id is not None:
        done = done.filter(sweep__workspace=workspace_id)
    return done.order_by("-pk").first()


def all_fetched(sweep_id: int) -> bool:
    """True once every input from the web is there."""
    missing = InputFetch.objects.filter(sweep=sweep_id).exclude(state=InputFetch.DONE)
    return not missing.exists()


def fetched(sweep: Sweep) -> dict[str, InputFetch]:
    """What was downloaded for a sweep, by input."""
    return {row.input: row for row in InputFetch.objects.filter(sweep=sweep, state=InputFetch.DONE)}


def fetch_lines(sweep_ids: Sequence[int]) -> dict[int, str]:
    """How far the downloads are that sweeps wait for, by sweep; without those that need none."""
    if not sweep_ids:
        return {}
    found: dict[int, str] = {}
    waiting = InputFetch.objects.filter(sweep__in=sweep_ids, state=InputFetch.WAITING)
    for row in waiting.order_by("pk"):
        found[row.sweep_id] = f"{found.get(row.sweep_id, '')} {_line(row)}".strip()
    return found


def _line(row: InputFetch) -> str:
    if row.reason:
        return f"Downloading {row.name} is tried again: {row.reason.rstrip('.')}."
    if row.total:
        return f"Downloading {row.name}: {_amount(row.received)} of {_amount(row.total)} MB."
    if row.received:
        return f"Downloading {row.name}: {_amount(row.received)} MB so far."
    return f"Downloading {row.name}."


def _amount(size: int) -> str:
    """In MB: one decimal below ten."""
    megabytes = size / _MB
    return f"{megabytes:.1f}" if megabytes < 10 else f"{megabytes:,.0f}"
