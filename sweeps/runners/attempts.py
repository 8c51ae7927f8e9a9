"""What runners of all kinds do with the spool of an attempt: claim it, and put it away."""

import os
import time
from typing import Any

from sweeps.runners import proc, spool
from sweeps.runners.base import Event, LaunchSpec, Lost, RunnerError, Running

COPIED = "The studio's home was copied or moved while the command ran."


def claim(spec: LaunchSpec, folder: str, **more: Any) -> bool:
    """Put a launch on record; False if that attempt is on record already, or over.

    `more` is what the kind of compute adds to the record. Raises RunnerError where that cannot
    be: the folder cannot be written to, or is another attempt's.
    """
    check(spec)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        launch = {**record(spec), **more}
        mine = not spool.is_over(folder) and spool.claim(folder, spool.LAUNCH, launch)
    except OSError as error:
        raise RunnerError(f"Cannot write to the spool {folder}: {error.strerror}.") from error
    if not mine:
        _same_attempt(folder, spec.name)
    return mine


def is_ours(folder: str, launch: dict[str, Any]) -> bool:
    """False for a copy: what its records name, pids and cookie, belongs to the original."""
    return launch.get("spool") in (None, os.path.realpath(folder))


def copied(folder: str, launch: dict[str, Any]) -> Lost:
    """What became of an attempt whose spool is a copy."""
    return Lost(folder, f"{COPIED} Its command ran in {launch['spool']}.")


def without_launch(folder: str) -> Lost:
    """What is known of an attempt that was cleaned up without a result, or never was."""
    return known_lost(folder) or Lost(folder, f"{folder} holds no attempt.")


def lost(folder: str, reason: str) -> Lost:
    """Put on record that an attempt is lost: other processes, which have not looked on, say the
    same from now on."""
    spool.write(folder, spool.LOST, {"reason": reason}, durable=True)
    return Lost(folder, reason)


def known_lost(folder: str) -> Lost | None:
    """What became of an attempt of which it is on record that it is lost."""
    found = spool.read(folder, spool.LOST)
    return Lost(folder, found["reason"]) if found else None


def put_away(event: Event) -> None:
    """Remove the private files of an attempt that is over. What was lost is put on record, so that
    later polls say the same. Raises RunnerError while it runs."""
    folder = event.handle
    if isinstance(event, Running):
        raise RunnerError(f"The command of {folder} is running. Stop it before the clean-up.")
    if isinstance(event, Lost):
        spool.write(folder, spool.LOST, {"reason": event.reason}, durable=True)
    for name in spool.PRIVATE:
        try:
            os.unlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue


def order_stop(folder: str, grace_s: float | None, reason: str, **asked: float) -> None:
    """Write down the wish that a command ends; a later one can only shorten the grace."""
    order = spool.read(folder, spool.STOP)
    if order is None:
        spool.write(folder, spool.STOP, {"grace_s": grace_s, "reason": reason, **asked})
    elif grace_s is not None and (order["grace_s"] is None or grace_s < order["grace_s"]):
        spool.write(folder, spool.STOP, {**order, "grace_s": grace_s, **asked})


def check(spec: LaunchSpec) -> None:
    """Raise RunnerError for what cannot be started anywhere."""
    if not spec.argv or not spec.argv[0]:
        raise RunnerError("A command needs a program to run, but got an empty one.")
    if not spec.name or "\0" in spec.name:
        raise RunnerError(f"An attempt needs a name without NUL, but got {spec.name!r}.")


def record(spec: LaunchSpec) -> dict[str, Any]:
    """What launch.json holds of an attempt."""
    return {
        "name": spec.name,
        "spool": os.path.realpath(spec.spool),
        # Two studios on one machine may use the same names, and must not kill each other's.
        "cookie": f"{spec.name}.{os.urandom(6).hex()}",
        "argv": list(spec.argv),
        "cwd": os.path.abspath(spec.cwd),
        "env": dict(spec.env),
        "secrets": list(spec.secrets),
        "time_limit_s": spec.time_limit_s,
        "grace_s": spec.grace_s,
        "log_cap_bytes": spec.log_cap_bytes,
        "user": spec.user._asdict() if spec.user else None,
        "boot_id": proc.boot_id(),
        "launched_at": time.time(),
        "launch": time.monotonic(),
    }


def _same_attempt(folder: str, name: str) -> None:
    launch = spool.read(folder, spool.LAUNCH)
    if launch is not None and launch["name"] != name:
        raise RunnerError(
            f"The spool {folder} belongs to the attempt {launch['name']!r}, so {name!r} "
            "cannot start there. Give each attempt a spool of its own."
        )
