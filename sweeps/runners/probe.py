"""Tries whether commands can run as users of their own: `python -I -S probe.py UID HOME PYTHON`.

Prints what is in the way, a JSON list of sentences, none when all is well. A program of its own,
for it becomes that user, and whoever asks has threads.
"""

import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 3)[0])

from sweeps.runners import proc, run_as

# Capabilities that the mode needs, by number (linux/capability.h).
NEEDED = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
}
_WAIT_S = 10.0


def missing() -> list[str]:
    """Names of the capabilities that this process lacks."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    return [name for name, number in NEEDED.items() if not mask >> number & 1]


def problems(uid: int, home: str, python: str) -> list[str]:
    """What is in the way of commands as that user, in the order in which to mend it."""
    if lacking := missing():
        return [f"The studio lacks {', '.join(lacking)}."]
    try:
        name = pwd.getpwuid(uid).pw_name
        return [f"User {uid} has an account on this machine ({name}); set another range."]
    except KeyError:
        pass
    return _tried(run_as.RunAs(uid, uid), home, python)


def _tried(user: run_as.RunAs, home: str, python: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix=".probe-", dir=home) as folder:
        secret = os.path.join(folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("secret")
        os.chmod(secret, 0o600)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(user, home, python, folder, writer)
        os.close(writer)
        with open(reader, encoding="utf-8") as said:
            found: list[str] = json.loads(said.read() or '["The probe ended without a word."]')
        return [*found, *_end(pid, user.uid)]


def _child(user: run_as.RunAs, home: str, python: str, folder: str, writer: int) -> None:
    """Become the user, say what that one cannot do, and wait to be ended."""
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fchown(directory, user.uid, user.gid)
        run_as.become(user)
        found = [*_way(home), *_program(python)]
        try:
            os.close(os.open("secret", os.O_RDONLY, dir_fd=directory))
            found.append(
                "The user can read what is closed to it: is this file system without owners?"
            )
        except PermissionError:
            os.close(os.open("own", os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=directory))
        os.unlink("own", dir_fd=directory)
    except OSError as error:
        found = [f"Trying it failed: {error}."]
    os.write(writer, json.dumps(found).encode())
    os.close(writer)
    time.sleep(_WAIT_S)
    os._exit(0)


def _way(home: str) -> list[str]:
    """The first folder above the home that the user may not pass through; the home is opened."""
    closed = _closed(os.path.dirname(home))
    if closed is None:
        return []
    return [
        f"STUDIO_HOME lies in {closed}, which other users may not pass through. Move it to a place "
        f"such as /srv/sweep-studio, or: chmod o+x {closed}"
    ]


def _program(python: str) -> list[str]:
    try:
        done = subprocess.run(
            [python, "-I", "-c", "pass"], capture_output=True, timeout=_WAIT_S, cwd="/", env={}
        )
    except PermissionError:
        closed = _closed(os.path.dirname(os.path.realpath(python))) or _link(python) or python
        return [
            f"The user may not run {python}, because of {closed}. Install a Python that all users "
            "may run, and make the studio's environment of it, or set the compute's interpreter."
        ]
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"{python} does not run: {error}."]
    if done.returncode:
        return [f"{python} does not run: {done.stderr.decode(errors='replace')[-300:]}"]
    return []


def _closed(folder: str) -> str | None:
    """The first of a folder and those above it, from the top, that we may not pass through."""
    parts = folder.split("/")
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count]) or "/"
        if not os.access(path, os.X_OK):
            return path
    return None


def _link(python: str) -> str | None:
    """The folder that a link leads through, which realpath cannot see as this user."""
    path = python
    for _ in range(40):
        if closed := _closed(os.path.dirname(path)):
            return closed
        if not os.path.islink(path):
            return None
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return None


def _end(pid: int, uid: int) -> list[str]:
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        return ["The studio cannot end processes of the user: it lacks CAP_KILL."]
    _pid, status = os.waitpid(pid, 0)
    proc.kill_strays(uid)  # the program may be anybody's, and have left something
    is_ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return [] if is_ended else ["The probe ended before it was told to."]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(problems(int(sys.argv[1]), sys.argv[2], sys.argv[3])))
