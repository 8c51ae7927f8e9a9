"""Sampling algorithms by name, as dotted paths: loading one must not load the others."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from sweeps.domain.samplers.base import Sampler
from sweeps.domain.wording import shown

ALGORITHMS: Mapping[str, str] = {
    "random": "sweeps.domain.samplers.random_search.RandomSampler",
    "grid": "sweeps.domain.samplers.grid.GridSampler",
    "bayesian": "sweeps.domain.samplers.bayesian.BayesianSampler",
}


def get_sampler(name: str) -> Sampler:
    """The algorithm called `name`.

    Raises KeyError with a sentence that names those there are.
    """
    if name not in ALGORITHMS:
        raise KeyError(
            f"The algorithm must be one of {', '.join(ALGORITHMS)}, but got {shown(name)}."
        )
    module, _, attribute = ALGORITHMS[name].rpartition(".")
    return cast(Sampler, getattr(import_module(module), attribute)())


# What the algorithms import when they are first asked, for a second or two.
LIBRARIES = ("hyperopt.tpe", "scipy.stats.qmc")


def warm_up() -> None:
    """Import all algorithms with their libraries now, so that no first suggestion waits for it."""
    for name in ALGORITHMS:
        get_sampler(name)
    for library in LIBRARIES:
        import_module(library)
