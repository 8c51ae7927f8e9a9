"""Which of very many trials the bayesian estimator looks at.

The tree-structured Parzen estimator weighs candidates by two densities: one of the few best trials
(25 at most in Hyperopt), one of all others. The second costs time for every trial and hardly
changes beyond some thousand of them. So of more than MOST trials it is made of a sample: the best,
which make the first density, are all kept, and so are the newest, which count in full, and those
that have not ended, which keep others away; the rest is a fixed random sample of trial numbers,
in which trials stay for as long as there is room. `bench/suggestions.py --quality` compares.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Ints = np.ndarray[Any, np.dtype[np.int64]]

# So many trials are looked at; and so many of the newest are always among them.
MOST = 5_000
NEWEST = 25
# Hyperopt's own bound on the good trials (tpe.DEFAULT_LF).
MOST_GOOD = 25


def good(count: int, gamma: float) -> int:
    """How many of `count` trials Hyperopt takes as good (tpe.ap_split_trials)."""
    return min(math.ceil(gamma * math.sqrt(count)), MOST_GOOD)


def gamma_for(kept: int, count: int, gamma: float) -> float:
    """The gamma by which of `kept` trials as many are good as `gamma` takes of `count`."""
    return gamma if kept == count else (good(count, gamma) - 0.5) / math.sqrt(kept)


def thinned(numbers: "Ints", losses: Any, pending: Any, gamma: float) -> "Ints":
    """Places of the trials to look at, at most MOST, in order.

    All three arrays have one item per trial, by trial number.
    """
    import numpy as np

    count = len(numbers)
    if count <= MOST:
        return np.arange(count)
    first = np.zeros(count, dtype=bool)
    first[np.argsort(losses)[: good(count, gamma)]] = True
    first[np.flatnonzero(pending)[-MOST // 4 :]] = True
    first[-NEWEST:] = True
    order = np.argsort(_scattered(numbers), kind="stable")
    rest = order[~first[order]][: MOST - int(first.sum())]
    first[rest] = True
    return np.flatnonzero(first)


def _scattered(numbers: "Ints") -> "Ints":
    """Numbers in an order that has nothing to do with them (Knuth's multiplicative hashing)."""
    return (numbers * 2_654_435_769 + 0x9E3779B9) & 0xFFFFFFFF
