"""The studio's side of the relay: what a carrier asks for and tells, done in the spool.

Who may: whoever claims the attempt first with its ticket, which only the job was given. From then
on the secret counts that the claim named, and which nobody else has seen.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.runners import records, spool
from sweeps.runners.relay import appending, lent, parcels
from sweeps.runners.results import EndedBy, Result

# How often a carrier tells that the command runs, if there is nothing else.
BEAT_S = 2.0
# What a launch says that a carrier needs; the rest is of this machine.
_SENT = (
    "name", "cookie", "argv", "cwd", "env", "secrets", "time_limit_s", "grace_s", "log_cap_bytes",
)  # fmt: skip
_OF_RELAY = ("lease_s", "machine", "python", "files", "size")
_STREAMS = {"stdout": spool.STDOUT, "stderr": spool.STDERR}
# Characters of how a command ended, and of all that is told of its processes.
_MESSAGE, _SHIM = 2_000, 20_000
# What a log may have beyond its cap: the note that it was cut.
_NOTE_BYTES = 200


class Refused(Exception):
    """It is not answered; `status` is HTTP's."""

    status = 400


class NotYours(Refused):
    """The wrong ticket or secret, or another carrier has the attempt."""

    status = 403


class Over(Refused):
    """The attempt is over, or given up: whatever of it still runs should end."""

    status = 410


@dataclass(frozen=True, slots=True)
class Order:
    """A claim: the ticket, the secret that its carrier made, and where it runs."""

    ticket: str
    secret: str
    host: str


def fingerprint(secret: str) -> str:
    """What is kept of a ticket or secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def claim(folder: str, order: Order) -> dict[str, Any]:
    """Take the guard's place for a carrier; what it is to run. The same claim again is answered
    again, for the answer may have been lost. Raises Refused."""
    launch = _launch(folder)
    if not _is(launch["relay"]["ticket"], order.ticket):
        raise NotYours("The ticket is not this attempt's.")
    who = {"pid": 0, "start_time": 0, "boot_id": order.host[:100]}
    mine = {**who, "secret": fingerprint(order.secret)}
    if not spool.claim(folder, spool.GUARD, mine):
        _require_guard(folder, order.secret)
    spool.beat(folder)
    return {
        "launch": {name: launch[name] for name in _SENT},
        "relay": {name: launch["relay"][name] for name in _OF_RELAY},
        "spools": sorted({launch["spool"], launch["relay"]["spool"]}),
        "outputs": _folders(os.path.join(folder, "outputs")),
        "params": _params(folder),
        "lent": lent.listed(launch["relay"]["lent"]),
        **_wishes(folder),
    }


def tell(folder: str, secret: str, news: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a carrier tells: beat, pids, logs. What is wanted of it. Raises Refused."""
    _require_guard(folder, secret)
    launch = _launch(folder)
    shim = news.get("shim")
    if isinstance(shim, dict) and records.is_shim(shim) and len(json.dumps(shim)) <= _SHIM:
        if spool.read(folder, spool.SHIM) is None:
            spool.keep_no_secrets(folder, launch)  # it has them
        spool.write(folder, spool.SHIM, shim)
    most = launch["log_cap_bytes"] + _NOTE_BYTES
    for name, file in _STREAMS.items():
        if name in news:
            appending.append(os.path.join(folder, file), news[name], most)
    spool.beat(folder)
    return _wishes(folder)


def outputs(folder: str, secret: str, at: int, data: bytes) -> int:
    """Keep a piece of the outputs' archive; how much there is now. Raises Refused."""
    _require_guard(folder, secret)
    launch = _launch(folder)
    spool.beat(folder)
    most = parcels.most_bytes(launch["relay"]["files"], launch["relay"]["size"])
    return parcels.keep(folder, at, data, most)


def end(folder: str, secret: str, record: Mapping[str, Any]) -> None:
    """The command is over: unpack its outputs, and write the result. Raises Refused."""
    _require_guard(folder, secret)
    if spool.read_result(folder) is not None:
        return  # told before
    launch = _launch(folder)
    result = record.get("result")
    if not isinstance(result, dict) or not records.is_result(result):
        raise Refused("That is no result.")
    told = Result(**{name: result[name] for name in Result._fields})
    if told.ended_by not in set(EndedBy):
        raise Refused("That is no result.")
    note = parcels.unpack(folder, launch["relay"]["files"], launch["relay"]["size"])
    message = f"{told.message[:_MESSAGE]} {note}".strip()
    spool.write_result(folder, told._replace(ended_by=EndedBy(told.ended_by), message=message))


def lent_file(folder: str, secret: str, number: int, name: str) -> str:
    """Where a file lies that the command's words name. Raises Refused."""
    _require_guard(folder, secret)
    spool.beat(folder)
    path = lent.path_of(_launch(folder)["relay"]["lent"], number, name)
    if path is None:
        raise Refused("There is no such file.")
    return path


def _launch(folder: str) -> dict[str, Any]:
    launch = spool.read(folder, spool.LAUNCH)
    if launch is None or "relay" not in launch or spool.is_over(folder):
        raise Over("The attempt is over.")
    return launch


def _require_guard(folder: str, secret: str) -> None:
    guard = spool.read(folder, spool.GUARD)
    if guard is None or "lost" in guard:
        raise Over("The attempt is over, or was given up.")
    if not _is(str(guard.get("secret", "")), secret):
        raise NotYours("Another carrier has this attempt.")


def _is(kept: str, secret: str) -> bool:
    return hmac.compare_digest(kept, fingerprint(secret))


def _folders(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _params(folder: str) -> str:
    try:
        with open(os.path.join(folder, "params.json"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _wishes(folder: str) -> dict[str, Any]:
    """What is wanted of the command, and how much of its logs is here."""
    sizes = {name: appending.size(os.path.join(folder, file)) for name, file in _STREAMS.items()}
    return {
        **sizes,
        "stop": spool.read(folder, spool.STOP),
        "limit": spool.read(folder, spool.LIMIT),
        "again_s": BEAT_S,
    }
