"""From what was seen of a command to its result: values in, a decision out."""

import errno
import os
import signal
import subprocess
from typing import NamedTuple

from sweeps.runners.results import EndedBy, Result

NOT_FOUND = 127  # the shell's exit codes
NOT_RUNNABLE = 126


class Span(NamedTuple):
    """When an attempt began and ended, in Unix seconds."""

    started_at: float
    ended_at: float


class Cause(NamedTuple):
    """Why we ended a command."""

    ended_by: EndedBy
    message: str


def ended(status: int, cause: Cause | None, span: Span, peak_memory_bytes: int) -> Result:
    """Return the result of a command that ran and ended with a wait status.

    `cause` is None if it ended by itself. The exit code or signal is kept in any case.
    """
    code = os.waitstatus_to_exitcode(status)
    number = -code if code < 0 else None
    if cause is None:
        by = EndedBy.EXIT if number is None else EndedBy.SIGNAL
        cause = Cause(by, "" if number is None else _of_signal(number, peak_memory_bytes))
    exit_code = code if number is None else None
    peak = peak_memory_bytes or None
    return Result(cause.ended_by, exit_code, number, *span, peak, cause.message)


def unseen(cause: Cause, span: Span, peak_memory_bytes: int = 0) -> Result:
    """Return the result of a command that never ran, or whose own end nobody saw."""
    return Result(cause.ended_by, None, None, *span, peak_memory_bytes or None, cause.message)


def not_started(
    error: Exception,
    argv: list[str],
    cwd: str,
    path: str | None,
    span: Span,
    *,
    apart: bool = False,
) -> Result:
    """Return the result of a command that could not be started; `path` is its PATH.

    `apart`: it was started as another user. What that one may not see is not looked for then.
    """
    code, message = (_of_start_apart if apart else _of_start)(error, argv, cwd, path)
    return Result(EndedBy.NOT_STARTED, code, None, *span, None, message)


def with_note(result: Result, note: str) -> Result:
    """Return the result with a further sentence in its message."""
    return result._replace(message=f"{result.message} {note}".strip())


def _of_start(error: Exception, argv: list[str], cwd: str, path: str | None) -> tuple[int, str]:
    number = error.errno if isinstance(error, OSError) else None
    program = argv[0]
    if isinstance(error, subprocess.SubprocessError):
        return NOT_RUNNABLE, (
            "The studio may not run commands as another user here; its error log says what failed. "
            "The compute's page says what the isolated mode needs."
        )
    if not os.path.isdir(cwd):
        return NOT_RUNNABLE, f"The working folder {cwd!r} does not exist on this compute."
    is_there = _exists(program, cwd, path)
    # Folders on the path that we may not look into are told as EACCES.
    if number in (errno.ENOENT, errno.ENOTDIR) or (number == errno.EACCES and not is_there):
        if is_there:
            return NOT_FOUND, (
                f"Cannot run {program!r}: the interpreter that its first line (#!) names "
                "does not exist on this compute."
            )
        return NOT_FOUND, f"No such command: {program!r}. Is it installed on this compute?"
    if number == errno.EACCES:
        return _not_allowed(program)
    if number == errno.ENOEXEC:
        return NOT_RUNNABLE, (
            f"{program!r} is no program that this compute can run. If it is a script, put its "
            "interpreter in front (python, bash) or add a first line such as #!/usr/bin/env bash."
        )
    if number == errno.E2BIG:
        return NOT_RUNNABLE, (
            "The command line and environment are larger than this compute allows. "
            "Pass large values by a file."
        )
    return NOT_RUNNABLE, f"Cannot run {program!r}: {error}."


def _of_start_apart(
    error: Exception, argv: list[str], cwd: str, path: str | None
) -> tuple[int, str]:
    """The same, by what the command's own user was told alone."""
    number = error.errno if isinstance(error, OSError) else None
    if number not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES) or not os.path.isdir(cwd):
        return _of_start(error, argv, cwd, path)
    # Of names on the path: one folder of it may be closed, and there may be no such command.
    if number == errno.EACCES and "/" in argv[0]:
        return _not_allowed(argv[0])
    return NOT_FOUND, (
        f"No such command: {argv[0]!r}. Is it installed on this compute? It is not there for the "
        "user that runs this workspace's trials; or it is a script, and the interpreter that its "
        "first line (#!) names does not exist."
    )


def _not_allowed(program: str) -> tuple[int, str]:
    return NOT_RUNNABLE, (
        f"Not allowed to run {program!r}. Make it executable (chmod +x), "
        "or put its interpreter in front (python, bash)."
    )


def _exists(program: str, cwd: str, path: str | None) -> bool:
    if "/" in program:
        return os.path.exists(os.path.join(cwd, program))
    folders = os.get_exec_path({} if path is None else {"PATH": path})
    return any(os.path.exists(os.path.join(cwd, folder, program)) for folder in folders)


def _of_signal(number: int, peak_memory_bytes: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    message = f"Killed by signal {number} ({name}), which the studio did not send"
    if number == signal.SIGKILL:
        message += "; the kernel's out-of-memory killer looks the same"
    return f"{message}. Peak memory {_human(peak_memory_bytes)}."


def _human(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
