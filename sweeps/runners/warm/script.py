"""A child becomes the script: everything that a fresh interpreter would have or show.

When in doubt the command is executed afresh in the same process: slower, and never wrong.
"""

import os
import signal
import sys
import zipimport
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from sweeps.runners import proc, run_as, spool
from sweeps.runners.warm import blas, freshen, memory, preload


class Script(NamedTuple):
    """One command: its spool, launch record, and the descriptors of its output."""

    folder: str
    launch: Mapping[str, Any]
    out: int
    err: int


class Birth(NamedTuple):
    """What the parent had of its own before it imported anything, and what imports opened.

    `coerced` are variables that Python sets for itself (LC_CTYPE where there is none: PEP 538).
    """

    name: str
    handlers: Mapping[int, Any]
    known: frozenset[str]
    cwd: str
    coerced: Mapping[str, str]
    areas: memory.Areas
    script: memory.ScriptPath | None
    open: frozenset[int]


def become(script: Script, birth: Birth, before: int) -> None:
    """Make this fork of the parent what the command would be; `before` words stand before the
    script's own arguments. Does not return where that cannot be done faithfully."""
    launch = script.launch
    env = environment(launch)
    os.setsid()
    os.chdir(launch["cwd"])
    _take_output(script, birth.open)
    _take_signals(birth.handlers)
    if run_as.has_ambient():
        run_as.start_without()
    memory.set_name(birth.name)
    if doubt := _doubt(launch, birth, before):
        start_afresh(script, doubt)
    coerced = {name: value for name, value in birth.coerced.items() if name not in env}
    _take_environment({**env, **coerced}, birth.areas)
    _take_arguments(launch["argv"], before, birth)
    _take_path(birth.cwd, env)
    for setter in blas.setters().values():
        if setter:
            setter(blas.wanted(env))
    freshen.freshen()


def _take_output(script: Script, keep: frozenset[int]) -> None:
    null = os.open(os.devnull, os.O_RDWR)  # as subprocess does
    for number, descriptor in enumerate((null, script.out, script.err)):
        os.dup2(descriptor, number)
    for name in os.listdir("/proc/self/fd"):
        if (number := int(name)) > 2 and number not in keep:
            try:
                os.close(number)
            except OSError:
                continue  # the listing's own


def _take_signals(handlers: Mapping[int, Any]) -> None:
    """Those of a fresh Python; guard and shim have set others."""
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _doubt(launch: Mapping[str, Any], birth: Birth, before: int) -> str:
    """Why a fresh interpreter would run something else here; empty if it would not."""
    argv = launch["argv"]
    if argv[before - 2] != "-m" and _is_archive(argv[before - 1]):
        return f"{argv[before - 1]} is an archive."
    here = os.getcwd()
    relative = [os.path.normpath(os.path.join(here, entry)) for entry in _relative(launch["env"])]
    if found := preload.hidden([_script_folder(argv, before), *relative], birth.known):
        return f"{found} stands before a module that its parent has imported from elsewhere."
    if len(os.listdir("/proc/self/task")) > 1:
        return "Something that its parent imported starts threads after each fork."
    return ""


def _is_archive(path: str) -> bool:
    try:
        zipimport.zipimporter(path)
    except zipimport.ZipImportError:
        return False
    return True


def _script_folder(argv: Sequence[str], before: int) -> str:
    """The folder that Python puts first on the path."""
    if argv[before - 2] == "-m":
        return os.getcwd()
    script = argv[before - 1]
    return script if os.path.isdir(script) else os.path.dirname(os.path.realpath(script))


def _relative(env: Mapping[str, str]) -> list[str]:
    """Folders on the path that mean others in another working folder."""
    entries = env.get("PYTHONPATH", "").split(os.pathsep) if env.get("PYTHONPATH") else []
    return [entry for entry in entries if not os.path.isabs(entry)]


def start_afresh(script: Script, why: str) -> NoReturn:
    """Execute the command in this process, as if there were no parent; `why` goes on record."""
    spool.write(script.folder, spool.HOW, {"warm": False, "reason": why})
    argv = script.launch["argv"]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # as subprocess does; Python ignores them
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(argv[0], argv, environment(script.launch))  # noqa: S606 - the user's command


def environment(launch: Mapping[str, Any]) -> dict[str, str]:
    """What the command gets."""
    return {**launch["env"], proc.COOKIE: launch["cookie"]}


def _take_environment(env: Mapping[str, str], areas: memory.Areas) -> None:
    os.environ.clear()
    os.environ.update(env)
    # The cookie first, for there must be room for it: leftovers are found by it.
    areas.show_environment({proc.COOKIE: env[proc.COOKIE], **env})


def _take_arguments(argv: Sequence[str], before: int, birth: Birth) -> None:
    sys.argv[1:] = argv[before:]
    sys.orig_argv[:] = argv
    birth.areas.show_arguments(argv)
    if birth.script:
        # As the interpreter makes it absolute: without a look at dots and links.
        birth.script.set(f"{os.getcwd()}/{argv[before - 1]}")


def _take_path(parents: str, env: Mapping[str, str]) -> None:
    """Relative folders on the path were made absolute where the parent was (site.abs_paths)."""
    here = os.getcwd()
    moved = {
        os.path.normpath(os.path.join(parents, entry)): os.path.normpath(os.path.join(here, entry))
        for entry in _relative(env)
    }
    if moved:  # as site does it, each folder once
        sys.path[:] = dict.fromkeys(moved.get(entry, entry) for entry in sys.path)
    for entry in list(sys.path_importer_cache):
        if entry in moved or entry.startswith(parents):
            del sys.path_importer_cache[entry]
