"""The end of a child's interpreter: it lets go of what the script made, not of what was imported.

An interpreter takes apart every module before it ends. In a fork that copies most pages that it
shares with its parent, a tenth of a second for nothing: nobody sees what becomes of functions. So
other packages' modules are taken out of `sys.modules` when all else has been done, and of those
that come with Python the values are held, so that only what a script has put there goes.

What a script has left with a package is not let go of, then: of files their text is written out.
"""

import atexit
import ctypes
import gc
import io
import sys
from typing import Any

_packages: list[str] = []
# What an interpreter lets go of by itself: here are the script, and where its output goes.
_OWN = ("__main__", "sys", "builtins")


def register() -> None:
    """To be called before anything is imported ahead: so it is the last that `atexit` does."""
    atexit.register(_spare)


def hold() -> None:
    """Keep what was imported for ever, in the parent: later each child would copy pages for it."""
    main = sys.modules["__main__"]
    held: list[Any] = []
    for name, module in list(sys.modules.items()):
        # The script has other names, too: `__mp_main__`.
        if name in _OWN or module is main or not hasattr(module, "__dict__"):
            continue
        if name.partition(".")[0] in sys.stdlib_module_names:
            held.append(dict(vars(module)))
        else:
            held.append(module)
            _packages.append(name)
    _keep(held)


def _keep(thing: Any) -> None:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _spare() -> None:
    for one in gc.get_objects():
        if isinstance(one, (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)):
            _attempt(_write_out, one)
    for stream in (sys.__stdout__, sys.__stderr__):
        _attempt(_write_through, stream)
    for name in _packages:
        sys.modules.pop(name, None)


def _attempt(act: Any, stream: Any) -> None:
    try:
        act(stream)
    except Exception:
        return  # the interpreter will come to it, and says so itself


def _write_out(file: Any) -> None:
    if not file.closed and file.writable():
        file.flush()


def _write_through(stream: Any) -> None:
    """Of what is printed after this nothing may wait in a buffer: packages hold on to the stream
    (`print(file=sys.stdout)` as a default), so that it is not written out when it is let go of."""
    buffer = getattr(stream, "buffer", None)
    if type(stream) is io.TextIOWrapper and type(buffer) is io.BufferedWriter:
        stream.flush()
        _keep(buffer)  # it would close the file below it
        io.TextIOWrapper.__init__(
            stream, buffer.raw,
            encoding=stream.encoding, errors=stream.errors, newline="\n", write_through=True,
        )  # fmt: skip
