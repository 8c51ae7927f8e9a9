"""How heavy a workspace's runs and models get: what each may hold, and the heaviest of them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway.drained import drain
from sweeps.gateway.holdings import LIGHT, Holdings, Thing, run, thing
from sweeps.gateway.identity import Caller, TrialCaller
from sweeps.gateway.payloads import LogCall
from sweeps.gateway.routes import Kind, Matched, Names
from sweeps.gateway.upstream import send
from sweeps.services import room

# Of a metric, beside its name, where a run is told.
_METRIC = 100


def _measure(thing: Thing) -> int:
    """Raises TrackingUnavailable."""
    if thing.is_run:
        drain([value for _key, value in thing.query])
    got = send("GET", thing.path, thing.query)
    if got.status_code >= 500 or got.status_code == 429:
        raise TrackingUnavailable(f"GET {thing.path}: {got.status_code}")
    return len(got.content)


_holdings = Holdings(_measure)
# By workspace: what stands in the database as the most, or more of it.
_noted: dict[str, int] = {}


def require_room(
    caller: Caller, matched: Matched, refs: Mapping[Names, tuple[str, ...]], body: Mapping[str, Any]
) -> None:
    """Count what a request adds to a run or a model.

    Raises Refusal (413) for more than it may hold in all, and TrackingUnavailable.
    """
    if matched.route.writes and matched.route.kind is not Kind.ARTIFACT_WRITE:
        more = len(json.dumps(body))
        of = thing(matched, refs, body)
        _note(caller.workspace, more if of is None else _holdings.add(of, more))


def require_room_of_own(caller: TrialCaller, call: LogCall) -> None:
    """The same for what a trial logs to its own run, apart from metrics (`note_names`)."""
    more = sum(len(key) + len(value) for key, value in (*call.params, *call.tags))
    if more:
        _note(caller.workspace, _holdings.add(run(caller.run_id), more))


def note_names(caller: TrialCaller, names: Iterable[str]) -> None:
    """Count metrics that its run did not have before, whose number is bounded elsewhere."""
    more = sum(len(name) + _METRIC for name in names)
    if more:
        _note(caller.workspace, _holdings.count(run(caller.run_id), more))


def _note(workspace: str, size: int) -> None:
    """Keep how heavy the heaviest may be, in powers of two: it seldom changes."""
    if size > max(LIGHT, _noted.get(workspace, 0)):
        _noted[workspace] = 1 << (size - 1).bit_length()
        room.note_heaviest(workspace, _noted[workspace])
