"""Becoming another user for good, in the moment before a command starts.

For commands of people whom the studio does not trust with its own files. Guard and shim stay who
they are, so that a command can neither stop them nor write their records; only the command drops.
"""

import contextlib
import ctypes
import os
import resource
import struct
from typing import Any, NamedTuple

# include/uapi/linux/prctl.h, capability.h
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_PR_CAPBSET_DROP = 24
_CLONE_NEWIPC = 0x08000000  # linux/sched.h
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64
_KEYCTL_JOIN_SESSION_KEYRING = 1
# Numbers of capset(2) and keyctl(2).
_CALLS = {"x86_64": (126, 250), "aarch64": (91, 219)}

UMASK = 0o077


class RunAs(NamedTuple):
    """Who a command runs as: numbers that need no account; `processes` at most at a time, threads
    included, of all commands of this user. `umask` is what its new files are closed to."""

    uid: int
    gid: int
    processes: int = 4096
    umask: int = UMASK


class Refused(OSError):
    """The kernel did not let us become that user; the message says at what."""


def of_record(record: dict[str, Any] | None) -> RunAs | None:
    """From the launch record."""
    return RunAs(**record) if record else None


def start_as(user: RunAs) -> None:
    """`become`; what goes wrong is told on standard error, for no more than that crosses a fork."""
    try:
        become(user)
    except OSError as error:
        os.write(2, f"The studio could not start the command as its user: {error}\n".encode())
        raise


def become(user: RunAs) -> None:
    """Be `user` and nobody else, for good: no group beside its own, no capability, no way back.

    For a process with one thread, between fork and exec. Raises Refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _limit(user)
    os.umask(user.umask)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _refused("no_new_privs")
    for number in range(_MOST_CAPABILITIES):  # needs CAP_SETPCAP; without, no_new_privs suffices
        libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    _leave_keyring(libc)
    # System V's shared memory and semaphores then end with the command. A help, where we may.
    libc.unshare(_CLONE_NEWIPC)
    try:
        os.setgroups([])
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise Refused(error.errno, f"becoming user {user.uid}: {error.strerror}") from error
    _drop_capabilities(libc)
    _check(user)


def has_ambient() -> bool:
    """Whether what we start would inherit capabilities, as those of a service with
    AmbientCapabilities does."""
    return any(int(mask, 16) for mask in _held("CapAmb:"))


def start_without() -> None:
    """Let a command that runs as the studio's user have that user's rights and no others."""
    _drop_capabilities(ctypes.CDLL(None, use_errno=True))


def _held(*names: str) -> list[str]:
    """Sets of capabilities of this process, as hexadecimal masks."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return [line.split()[1] for line in file if line.startswith(names)]


def _limit(user: RunAs) -> None:
    """No more than what there is already, or than what the user may have."""
    for what, most in ((resource.RLIMIT_NPROC, user.processes), (resource.RLIMIT_CORE, 0)):
        _soft, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _leave_keyring(libc: ctypes.CDLL) -> None:
    """Whoever has the studio's session keyring has its keys, whatever user it is."""
    if calls := _CALLS.get(os.uname().machine):
        libc.syscall(calls[1], _KEYCTL_JOIN_SESSION_KEYRING, None)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """The kernel takes them from who was root; from another user it does not."""
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if not (calls := _CALLS.get(os.uname().machine)):
        return  # _check looks whether any are left
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if libc.syscall(calls[0], header, bytes(24)) != 0:
        raise _refused("giving capabilities back")


def _check(user: RunAs) -> None:
    """Look at what became of us, whatever the calls said."""
    if os.getresuid() != (user.uid,) * 3 or os.getresgid() != (user.gid,) * 3 or os.getgroups():
        raise Refused(0, f"becoming user {user.uid}: some of the old one is left")
    if any(int(mask, 16) for mask in _held("CapPrm:", "CapAmb:")):
        raise Refused(0, f"becoming user {user.uid}: capabilities are left")
    with contextlib.suppress(PermissionError):
        os.setuid(0)
        raise Refused(0, f"becoming user {user.uid}: there is a way back")


def _refused(what: str) -> Refused:
    number = ctypes.get_errno()
    return Refused(number, f"{what}: {os.strerror(number)}")
