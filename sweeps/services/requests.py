"""Requests that name themselves: one is carried out, the others get its answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from studio.models import ApiToken
from sweeps.models import ApiRequest

KEPT = timedelta(days=1)
# A request that has not answered by then has died with its process; what it makes carries its row
# as ticket, so that carrying it out again makes nothing twice.
CLAIM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claimed:
    """This request is the one to carry out; or `other` is, which may have been answered."""

    row: ApiRequest
    is_ours: bool


def claim_request(token: ApiToken, key: str, fingerprint: str, now: datetime) -> Claimed:
    """Take the key of a token for a request, or find the request that has it."""
    ApiRequest.objects.filter(created_at__lt=now - KEPT).delete()
    until = now + CLAIM
    try:
        with transaction.atomic():
            row = ApiRequest.objects.create(
                token=token, key=key, fingerprint=fingerprint, claimed_until=until, created_at=now
            )
            return Claimed(row, True)
    except IntegrityError:
        rows = ApiRequest.objects.filter(token=token, key=key)
        found = rows.first()
        if found is None:  # released in this moment
            return claim_request(token, key, fingerprint, now)
    stale = rows.filter(status=None, fingerprint=fingerprint, claimed_until__lt=now)
    return Claimed(found, bool(stale.update(claimed_until=until)))


def keep_answer(row: ApiRequest, status: int, answer: str) -> None:
    """Remember what was answered."""
    ApiRequest.objects.filter(pk=row.pk).update(status=status, answer=answer)


def release_request(row: ApiRequest) -> None:
    """Forget a request that came to nothing: the same may be tried again."""
    row.delete()
