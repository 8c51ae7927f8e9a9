"""Writing down what becomes of the inputs that a sweep downloads."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.states import SweepStatus
from sweeps.domain.web_inputs import is_address, parse_web_input
from sweeps.models import InputFetch, Sweep
from sweeps.services.state import lock, move_sweep

# A network that is away for a moment costs nobody a sweep: in all some ten minutes.
MOST_TRIES = 8
_LONGEST_WAIT_S = 240


def plan_fetches(sweep: Sweep, job: SweepJob, now: datetime) -> None:
    """Note which inputs have to be downloaded. In the transaction that makes the sweep."""
    for name, value in job.inputs.items():
        if isinstance(value, DataInput) and is_address(value.path):
            web = parse_web_input(value.path)
            InputFetch.objects.create(
                sweep=sweep, input=name, path=value.path, url=web.url, name=web.name, created_at=now
            )


def _missing(fetch: InputFetch) -> QuerySet[InputFetch]:
    """The row, unless somebody else has brought it meanwhile."""
    return InputFetch.objects.filter(pk=fetch.pk).exclude(state=InputFetch.DONE)


def note_progress(
    fetch: InputFetch, received: int, total: int | None, etag: str, last_modified: str
) -> None:
    """How far it is, and of which version."""
    _missing(fetch).update(
        state=InputFetch.WAITING,
        received=received,
        total=total,
        etag=etag,
        last_modified=last_modified[:100],
        reason="",
    )


def finish_fetch(fetch: InputFetch, digest: str, size: int, etag: str, last_modified: str) -> None:
    """It is there."""
    _missing(fetch).update(
        state=InputFetch.DONE,
        digest=digest,
        received=size,
        total=size,
        etag=etag,
        last_modified=last_modified[:100],
        reason="",
    )


def put_off(fetch: InputFetch, reason: str, now: datetime) -> bool:
    """Try again later; False if it was tried often enough, and the sweep has failed of it."""
    tries = fetch.tries + 1
    if tries >= MOST_TRIES:
        fail_fetch(fetch, f"{reason.rstrip('.')}, {tries} times", now)
        return False
    later = now + timedelta(seconds=min(2**tries, _LONGEST_WAIT_S))
    _missing(fetch).update(state=InputFetch.WAITING, tries=tries, not_before=later, reason=reason)
    return True


def fail_fetch(fetch: InputFetch, reason: str, now: datetime) -> None:
    """It cannot be had: the sweep fails before anything of it has run."""
    text = f"{reason.rstrip('.')}; check inputs.{fetch.input}.path."
    with transaction.atomic():
        lock(fetch.sweep_id)
        _missing(fetch).update(state=InputFetch.FAILED, reason=text, tries=0, not_before=None)
        sweep = Sweep.objects.get(pk=fetch.sweep_id)
        move_sweep(sweep, SweepStatus.FAILED, now, reason=text)
