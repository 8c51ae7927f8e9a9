"""The scripts, by what they look at."""

from dataclasses import replace

from tests.runners.warm.cases import (
    ends,
    environment,
    learning,
    main,
    paths,
    processes,
    signals,
    state,
    streams,
    tracked,
)

_ALL = [
    *paths.CASES,
    *environment.CASES,
    *main.CASES,
    *streams.CASES,
    *ends.CASES,
    *signals.CASES,
    *processes.CASES,
    *state.CASES,
    *learning.CASES,
    *tracked.CASES,
]
# Each much like another that runs by default.
_LIKE_OTHERS = {
    *("exit with -1", "exit with 256", "exit with a tuple", "exit with a huge number"),
    *("exit with a number that is none", "exit of the site", "exit with False", "GeneratorExit"),
    *("BaseException", "MemoryError", "KeyboardInterrupt with a text", "raise SystemExit"),
    *("killed by SIGHUP", "killed by SIGQUIT", "killed by SIGUSR1", "not killed by SIGCHLD"),
    *("not killed by SIGCONT", "not killed by SIGWINCH", "an error without context"),
    *("an error with notes", "a group of errors", "an indentation error", "option -OO"),
    *("PYTHONHASHSEED 0", "PYTHONOPTIMIZE", "PYTHONNOUSERSITE", "PYTHONBREAKPOINT"),
    *("PYTHONWARNINGS", "option -b", "a local socket hides one that the parent needs itself"),
}
assert {case.name for case in _ALL} >= _LIKE_OTHERS
CASES = [replace(case, long=case.long or case.name in _LIKE_OTHERS) for case in _ALL]
