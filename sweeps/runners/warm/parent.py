"""The parent: imports, answers, forks guards, and leaves when nobody has asked for a while."""

import contextlib
import ctypes
import fcntl
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from sweeps.runners import nursery
from sweeps.runners.command import Away
from sweeps.runners.warm import blas, ending, freshen, line, memory, preload
from sweeps.runners.warm.script import Birth, Script, become, start_afresh

_LOOK_S = 2.0  # how often it looks up without being asked
# How much more memory than after its imports it may have: it does nothing that would take any.
_GROWTH = 1.25


def hold_up(text: str, known: frozenset[str]) -> None:
    """Import and serve; returns in a child that has become a script.

    `known` are top-level names of modules that were loaded before any of ours.
    """
    plan = json.loads(text)
    # Whoever started us waits for no more than this; and a child of nobody outlives the studio.
    if os.fork():
        os._exit(0)
    os.setsid()
    try:
        ending.register()
        birth = _birth(plan, known)
        _as_asked(plan)
        parent = Parent(plan, birth)
        script = _script_from(parent)
    except Exception as error:
        _refuse(plan["folder"], f"Its warm parent failed: {error or type(error).__name__}")
        raise
    birth = parent.birth
    del parent
    gc.collect()  # so that nothing of ours ends, and closes something, in the script's time
    _become(script, birth, plan["before"])
    freshen.forget_ours()


def _become(script: Script, birth: Birth, before: int) -> None:
    try:
        become(script, birth, before)
    except Exception as error:  # whatever it is, a fresh interpreter does without
        start_afresh(script, f"Its parent could not hand over: {error!r}")


def _script_from(parent: "Parent") -> Script:
    """Serve; in each child that is to be a script, its order."""
    try:
        parent.serve()
    except Away as away:
        order: Script = away.order
        return order
    os._exit(0)


def _refuse(folder: str, reason: str) -> None:
    """Say it for those who wait now and those who come later."""
    draft = os.path.join(folder, f".{line.REFUSED}")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump({"reason": reason, "at": time.time()}, file)
    os.replace(draft, os.path.join(folder, line.REFUSED))


def _birth(plan: Mapping[str, Any], known: frozenset[str]) -> Birth:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    # Ignored where the studio runs in the background; a command does not inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with open("/proc/self/comm", encoding="utf-8", errors="replace") as file:
        name = file.read().rstrip("\n")
    cwd, word = os.getcwd(), plan["word"]
    needs_path = word is not None and not os.path.isabs(word)
    return Birth(
        name=name,
        handlers={number: signal.getsignal(number) for number in signal.valid_signals()},
        known=known | {freshen.OURS},
        cwd=cwd,
        coerced={
            name: os.environ[name]
            for name in ("LC_CTYPE",)
            if name in os.environ and name not in plan["env"]
        },
        areas=memory.Areas(),
        script=memory.ScriptPath(f"{cwd}/{word}") if needs_path else None,
        open=frozenset(),
    )


def _as_asked(plan: Mapping[str, Any]) -> None:
    """The environment that was asked for, without what brought us here."""
    os.environ.clear()
    os.environ.update(plan["env"])
    os.environ.update(blas.held(plan["env"]))


class Parent:
    """Serves on a listening socket that it was born with."""

    def __init__(self, plan: Mapping[str, Any], birth: Birth) -> None:
        self._folder: str = plan["folder"]
        # A package of our name would be taken for ours.
        names: list[str] = plan["modules"]
        self._modules = [name for name in names if name.partition(".")[0] != freshen.OURS]
        self._later: list[tuple[str, str]] = plan["later"]
        self._idle_s: float = plan["idle_s"]
        self._listener = socket.socket(fileno=plan["listener"])
        self._lines: dict[int, socket.socket] = {}
        self._pipes: tuple[int, int] = tuple(plan["pipes"])
        self._log: int = plan["log"]
        self.birth = birth
        birth.areas.show_arguments(("sweep-studio: warm parent of", str(plan["word"])))
        memory.set_name("sweep-warm")

    def serve(self) -> None:
        """Import, then answer until nobody asks; raises Away in a child that is to be a script."""
        began = time.monotonic()
        # A look for unreachable circles now and then takes a sixth of the time, and finds few.
        gc.disable()
        if reason := self._import():
            _refuse(self._folder, reason)
            return
        gc.enable()
        os.unlink(os.path.join(self._folder, line.IMPORTING))
        self._took_s = time.monotonic() - began
        self._files = _files()
        gc.collect()
        ending.hold()
        _freeze()
        self._memory = _memory()
        self._asked = time.monotonic()
        while self._is_wanted() or not self._leave():
            for ready in self._wait():
                self._turn_to(ready)

    def _import(self) -> str:
        """Why it cannot serve; empty if it can."""
        before = preload.opened()
        try:
            preload.preload(self._modules, self._said, self._about)
            preload.preload_later(self._later, self._about)
            self._said()
        except preload.Unfit as unfit:
            return f"{unfit.module} is best imported by each trial itself: it {unfit.what}."
        if lone := [path for path, setter in blas.setters().items() if setter is None]:
            return f"The threads of {lone[0]} cannot be set."
        self.birth = self.birth._replace(open=frozenset(preload.opened().keys() - before.keys()))
        return ""

    def _said(self) -> bool:
        """Whether what was imported has printed something since it was last asked."""
        sys.stdout.flush()
        sys.stderr.flush()
        said = [_drain(reader, self._log) for reader in self._pipes]  # all, not the first
        return any(said)

    def _about(self, name: str) -> None:
        with open(os.path.join(self._folder, line.IMPORTING), "w", encoding="utf-8") as file:
            file.write(name)

    def _wait(self) -> list[int]:
        poll = select.poll()
        for descriptor in (self._listener.fileno(), *self._lines):
            poll.register(descriptor, select.POLLIN)
        return [descriptor for descriptor, _ in poll.poll(min(_LOOK_S, self._idle_s) * 1000)]

    def _turn_to(self, descriptor: int) -> None:
        if descriptor == self._listener.fileno():
            asker, _ = self._listener.accept()
            self._lines[asker.fileno()] = asker
            return
        asker = self._lines[descriptor]
        try:
            text, descriptors, _flags, _address = socket.recv_fds(asker, line.LONGEST, 2)
            self._answer(asker, text, descriptors)
        except OSError:
            text = b""
        if not text:
            self._lines.pop(descriptor).close()

    def _answer(self, asker: socket.socket, text: bytes, descriptors: list[int]) -> None:
        if text == line.LEAVE:
            self._asked = float("-inf")
        elif text == line.READY:
            self._asked = time.monotonic()
            line.say(asker, ready=not self._is_stale(), pid=os.getpid(), took_s=self._took_s)
        elif text.startswith(line.START) and len(descriptors) == 2:
            self._asked = time.monotonic()
            self._fork_guard(text[len(line.START) :], *descriptors)
        for number in descriptors:
            os.close(number)

    def _fork_guard(self, folder: bytes, out: int, err: int) -> None:
        try:
            pid = os.fork()
        except OSError:
            return  # no room for one: whoever asked sees the end of its pipe, and does without
        if pid == 0:
            for mine in (self._listener, *self._lines.values()):
                mine.close()
            nursery.end_after(partial(nursery.detach, folder, out, err, start))
        os.waitpid(pid, 0)

    def _is_wanted(self) -> bool:
        """False when it is to leave: unused, of a folder that is gone, out of date, or grown."""
        return (
            time.monotonic() - self._asked < self._idle_s
            and os.path.exists(os.path.join(self._folder, line.SOCKET))
            and _memory() < _GROWTH * self._memory + 2**24
        )

    def _is_stale(self) -> bool:
        """Whether a file of what was imported has changed; then it leaves."""
        if all(_stamp(path) == stamp for path, stamp in self._files.items()):
            return False
        self._asked = float("-inf")
        return True

    def _leave(self) -> bool:
        """Give up the address, unless somebody is just about to ask or is asking."""
        try:
            lock = open(os.path.join(self._folder, line.LOCK), "r+b")  # noqa: SIM115
        except FileNotFoundError:
            return True  # with its folder
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            if self._asked > 0 and self._wait():
                return False
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._folder, line.SOCKET))
            return True


def start(folder: str, launch: Mapping[str, Any], out: int, err: int) -> int:
    """What a shim of ours calls to start its command; its pid. Raises what Popen would."""
    if any("\0" in word for word in launch["argv"]):
        raise ValueError("embedded null byte")
    os.close(os.open(launch["cwd"], os.O_PATH | os.O_DIRECTORY))
    pid = os.fork()
    if pid == 0:
        raise Away(Script(folder, launch, out, err))
    return pid


def _freeze() -> None:
    """Keep the pages that children share from being copied by their garbage collectors.

    All but `__main__`: at its end an interpreter lets go of what a script holds by collecting its
    names, and so writes what is left in files and calls what is to be called (`__del__`).
    """
    main = sys.modules["__main__"]
    collector = ctypes.PyDLL(None)
    for change in (collector.PyObject_GC_UnTrack, collector.PyObject_GC_Track):
        change.argtypes, change.restype = [ctypes.py_object], None
    ours = (main, vars(main))
    for one in ours:
        collector.PyObject_GC_UnTrack(one)
    gc.freeze()
    for one in ours:
        collector.PyObject_GC_Track(one)


def _drain(reader: int, log: int) -> bool:
    os.set_blocking(reader, False)
    found = False
    with contextlib.suppress(BlockingIOError):
        while data := os.read(reader, 65536):
            os.write(log, data)
            found = True
    return found


def _files() -> dict[str, tuple[int, int, int] | None]:
    """What was imported, and the folders where it would be looked for, by when it changed."""
    paths = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = {path for path in (*paths, *sys.path) if isinstance(path, str) and os.path.isabs(path)}
    return {path: _stamp(path) for path in found}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _memory() -> int:
    """Resident bytes."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
