"""What a process shows and holds outside of Python's reach: written in place, once per child.

The areas of arguments and environment that /proc shows lie where execve(2) put them; a fork shows
its parent's. And the path of the script is in the interpreter's configuration (PyConfig.
run_filename, PEP 587), made absolute when the parent started, in the parent's folder.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence

_PR_SET_NAME = 15
_WORDS = 160  # pointers into a PyConfig that are looked at; it has some 110


class Areas:
    """Where this process's arguments and environment lie (proc(5): stat, fields 48 to 51)."""

    def __init__(self) -> None:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        self._arguments = int(fields[45]), int(fields[46])
        self._environment = int(fields[47]), int(fields[48])

    def show_arguments(self, argv: Sequence[str]) -> None:
        """What ps shows. One text, as of all processes that change it: the kernel takes the
        area for changed when its last byte is not NUL, and shows all up to the first NUL."""
        start, end = self._arguments
        text = b" ".join(map(os.fsencode, argv))[: end - start - 2]
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, text, len(text))
        ctypes.memset(end - 1, 1, 1)

    def show_environment(self, env: Mapping[str, str]) -> None:
        """What /proc/<pid>/environ shows; of variables that have no room the last are left out.

        Only once no variable of the C library lies in the area any more.
        """
        start, end = self._environment
        ctypes.memset(start, 0, end - start)
        for name, value in env.items():
            text = os.fsencode(f"{name}={value}") + b"\0"
            if start + len(text) < end:
                ctypes.memmove(start, text, len(text))
                start += len(text)


def set_name(name: str) -> None:
    """The name that top shows."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, os.fsencode(name)[:15], 0, 0, 0)


class ScriptPath:
    """The place where the interpreter keeps the path of the script that it will turn to.

    Raises LookupError where it is not found exactly once: another Python than we know.
    """

    def __init__(self, now: str) -> None:
        api = _api()
        api._Py_GetConfig.restype = ctypes.c_void_p
        base = api._Py_GetConfig()
        wanted = bytes(ctypes.create_unicode_buffer(now))
        readable = _readable()
        found = [
            at
            for at in range(base, base + 8 * _WORDS, 8)
            if _inside(readable, at, 8)
            and _holds(readable, ctypes.c_uint64.from_address(at).value, wanted)
        ]
        if len(found) != 1:
            raise LookupError("This Python keeps the path of its script elsewhere.")
        self._at = found[0]

    def set(self, path: str) -> None:
        """Another script. What was there before is not given back: some bytes, once."""
        text = ctypes.create_unicode_buffer(path)
        allocate = _api().PyMem_RawMalloc  # as the interpreter will free it
        allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        place = allocate(ctypes.sizeof(text))
        ctypes.memmove(place, text, ctypes.sizeof(text))
        ctypes.c_uint64.from_address(self._at).value = place


def _api() -> ctypes.PyDLL:
    """As ctypes.pythonapi, but not the one that a script has: types are set on it."""
    return ctypes.PyDLL(None)


def _readable() -> list[tuple[int, int]]:
    found = []
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            span, rights = line.split(None, 2)[:2]
            low, high = span.split("-")
            if rights.startswith("r"):
                found.append((int(low, 16), int(high, 16)))
    return found


def _inside(readable: Sequence[tuple[int, int]], at: int, size: int) -> bool:
    return any(low <= at and at + size <= high for low, high in readable)


def _holds(readable: Sequence[tuple[int, int]], at: int, wanted: bytes) -> bool:
    return _inside(readable, at, len(wanted)) and ctypes.string_at(at, len(wanted)) == wanted
