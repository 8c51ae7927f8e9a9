"""The kinds of compute, by dotted path of their runner."""

from functools import cache
from importlib import import_module

from sweeps.runners.base import Runner, RunnerError

# A runner is made with nothing where its kind has no addresses, else with the address.
KINDS: dict[str, str] = {
    "local": "sweeps.runners.local.LocalRunner",
    "ray": "sweeps.runners.ray.runner.RayRunner",
    "slurm": "sweeps.runners.slurm.runner.SlurmRunner",
}


@cache
def get_runner(kind: str, address: str = "") -> Runner:
    """Return the runner of a kind of compute, the one that speaks to the engine at `address`.

    Raises RunnerError for a kind there is not.
    """
    if kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise RunnerError(f"No runner for computes of kind {kind!r}. Use one of: {known}.")
    module, name = KINDS[kind].rsplit(".", 1)
    runner: Runner = getattr(import_module(module), name)(*filter(None, [address]))
    return runner
