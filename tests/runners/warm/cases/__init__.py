"""The scripts, by what they look at."""

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

CASES = [
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
