"""Threads of OpenBLAS: it starts them when it is loaded, and a parent must have none.

So the parent loads it with one, and each child asks for as many as it would have started with.
OpenMP needs no such care: its threads start with the first parallel region.
"""

import ctypes
import os
import re
from collections.abc import Callable, Mapping

VARIABLE = "OPENBLAS_NUM_THREADS"
_ARROW = "JE_ARROW_MALLOC_CONF"
# In the order in which OpenBLAS looks at them.
_VARIABLES = (
    VARIABLE, "OPENBLAS_DEFAULT_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS",
)  # fmt: skip
_DIGITS = re.compile(r"\s*\+?([0-9]+)", re.ASCII)  # as atoi(3) reads them
_SETTERS = tuple(
    f"{prefix}openblas_set_num_threads{suffix}"
    for prefix in ("scipy_", "")
    for suffix in ("64_", "", "_64")
)


def held(env: Mapping[str, str]) -> dict[str, str]:
    """What keeps it, and what is like it, from starting threads in a parent."""
    # Arrow's memory pool (jemalloc) gives memory back by a thread; else it does so as it goes.
    arrow = {} if _ARROW in env else {_ARROW: "background_thread:false"}
    return {VARIABLE: "1", **arrow}


def wanted(env: Mapping[str, str]) -> int:
    """How many threads OpenBLAS starts with in this environment (its memory.c): no more than
    there are processors for us, and of a variable only the digits at its start count."""
    processors = len(os.sched_getaffinity(0))
    for name in _VARIABLES:
        found = _DIGITS.match(env.get(name, ""))
        if found and (number := int(found[1])):
            return min(number, processors)
    return processors


def setters() -> dict[str, Callable[[int], None] | None]:
    """By path of each OpenBLAS that is loaded, what sets its threads; None where it has nothing."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        paths = {line.split(None, 5)[5].strip() for line in file if "openblas" in line.lower()}
    return {path: _setter(path) for path in sorted(paths) if os.path.isfile(path)}


def _setter(path: str) -> Callable[[int], None] | None:
    library = ctypes.CDLL(path)
    for name in _SETTERS:
        if setter := getattr(library, name, None):
            setter.restype, setter.argtypes = None, [ctypes.c_int]
            return setter
    return None
