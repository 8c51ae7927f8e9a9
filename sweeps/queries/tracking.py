"""What the tracking gateway reads: whose a token is, and which runs have values under way."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from studio.models import ApiToken, Membership, Role
from studio.models.token import digest
from studio.models.workspace import may
from sweeps.models import Attempt, OutboxEntry
from sweeps.queries.prepared import Prepared


def attempt_of_token(secret: str) -> Attempt | None:
    """The running attempt with this token; None when it is unknown or the attempt has ended.

    Only the columns that a logging call needs are read: this is the busiest query of all.
    """
    return _of_token.first(digest(secret))


@Prepared
def _of_token(token_digest: Any) -> QuerySet[Attempt, Attempt]:
    attempts = Attempt.objects.open().select_related("trial__sweep__workspace").order_by()
    return attempts.filter(token_digest=token_digest).exclude(run_id="").only(
        "number", "run_id", "trial__sweep__experiment_id", "trial__sweep__primary_metric",
        "trial__sweep__goal", "trial__sweep__early_termination", "trial__sweep__workspace__name",
    )  # fmt: skip


def role_of_token(secret: str, now: datetime) -> tuple[ApiToken, Role] | None:
    """A usable API token and the role that it gives in its workspace, None when there is none.

    A token is worth no more than its owner's membership: it ends or shrinks with that.
    """
    tokens = ApiToken.objects.usable(now).select_related("workspace", "user")
    token = tokens.filter(digest=digest(secret)).first()
    member = Membership.objects.role_of(token.user, token.workspace) if token else None
    if token is None or member is None:
        return None
    role = Role(token.role)
    return token, role if may(member, role) else member


def waiting_runs(run_ids: Collection[str] = (), experiment_ids: Collection[str] = ()) -> list[str]:
    """Which of the runs, and of the runs in the experiments, have values that MLflow lacks."""
    waiting = OutboxEntry.objects.order_by()
    found = set(waiting.filter(run_id__in=run_ids).values_list("run_id", flat=True))
    if experiment_ids:
        theirs = waiting.filter(attempt__trial__sweep__experiment_id__in=experiment_ids)
        found |= set(theirs.values_list("run_id", flat=True).distinct())
    return sorted(found)
