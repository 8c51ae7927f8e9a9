"""Whose request it is: a trial's (its attempt's token) or a member's (an API token)."""

import time
from dataclasses import dataclass
from datetime import datetime

from studio import actor
from studio.models import Role
from studio.models.token import TOKEN_PREFIX, digest
from studio.models.workspace import may
from studio.services import note_use
from sweeps.gateway.refusals import missing, unauthenticated
from sweeps.models import Attempt
from sweeps.queries.tracking import attempt_of_token, role_of_token
from sweeps.services.trials import TRIAL_TOKEN_PREFIX


@dataclass(frozen=True, slots=True)
class TrialCaller:
    """A running attempt; it owns its MLflow run and what it makes below it."""

    workspace: str
    run_id: str
    experiment_id: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class MemberCaller:
    """A person's program, in one workspace."""

    workspace: str
    may_write: bool


Caller = TrialCaller | MemberCaller


# A logging call comes thousands of times with the same token, and what is remembered of a token
# never changes but that it ends: which the transaction that stores the call looks at itself.
REMEMBERED_S = 1.0
_MOST = 5_000
_remembered: dict[str, tuple[float, TrialCaller]] = {}


def identify_logger(authorization: str, workspace: str, now: datetime) -> Caller:
    """As `identify`, for calls that are fenced by the attempt: its end may be missed for a second.

    Raises Refusal as that does.
    """
    key = digest(authorization)
    until, caller = _remembered.get(key, (0.0, None))
    if caller is not None and until > time.monotonic() and caller.workspace == workspace:
        actor.nobody()
        return caller
    found = identify(authorization, workspace, now)
    if isinstance(found, TrialCaller):
        if len(_remembered) >= _MOST:
            _remembered.clear()
        _remembered[key] = (time.monotonic() + REMEMBERED_S, found)
    return found


def identify(authorization: str, workspace: str, now: datetime) -> Caller:
    """The caller behind an Authorization header.

    Raises Refusal: 401 for a token that is unknown or no longer good, 404 for one of another
    workspace, whether the workspace asked for exists or not.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated("Set MLFLOW_TRACKING_TOKEN to a token of this workspace.")
    caller = _trial(token) if token.startswith(TRIAL_TOKEN_PREFIX) else _member(token, now)
    if caller is None:
        raise unauthenticated("The token is unknown, has ended or was revoked.")
    if caller.workspace != workspace:
        raise missing()
    return caller


def _trial(token: str) -> TrialCaller | None:
    attempt = attempt_of_token(token)
    if attempt is None:
        return None
    actor.nobody()  # what scripts do is in their runs, not in the log of what people do
    sweep = attempt.trial.sweep
    return TrialCaller(sweep.workspace.name, attempt.run_id, sweep.experiment_id, attempt)


def _member(token: str, now: datetime) -> MemberCaller | None:
    found = role_of_token(token, now) if token.startswith(TOKEN_PREFIX) else None
    if found is None:
        return None
    usable, role = found
    note_use(usable, now)
    if acting := actor.current():
        acting.by_token(usable.user, usable.hint)
    in_use = usable.workspace.archived_at is None
    return MemberCaller(usable.workspace.name, in_use and may(role, Role.CONTRIBUTOR))
