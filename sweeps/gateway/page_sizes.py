"""How many things MLflow is to tell at once: what is on a page stands in its memory eight times.

Clients go on to the next page by its token, so that fewer at a time lose nothing.
"""

import json
from dataclasses import replace
from typing import Any

from sweeps.gateway.adapt import Asked
from sweeps.gateway.holdings import LIGHT
from sweeps.gateway.routes import V2, Matched

# Characters of JSON that may be on a page of a search.
MOST_TEXT = 32 * 2**20
# Of a value of a history beside the metric's name, which each has.
_VALUE = 300
_HISTORIES = ("metrics/get-history", "metrics/get-history-bulk-interval")
# By request: how many MLflow gives where nobody says, and how many it may be asked for. MLflow's
# own client asks for no more at a time.
_SIZES = {
    "metrics/get-history": (25_000, 25_000),
    "metrics/get-history-bulk-interval": (2_500, 2_500),
    "runs/search": (1_000, 1_000),
    "logged-models/search": (100, 1_000),
    "experiments/search": (1_000, 1_000),
    "registered-models/search": (100, 1_000),
    "model-versions/search": (1_000, 1_000),
}
_KEY = "max_results"
_KEYS = (_KEY, "maxResults")
_LONGEST = 30  # characters of a number


def at_most(heaviest: int) -> int:
    """How many of a workspace's things a page may have, by the characters of its heaviest."""
    return max(1, MOST_TEXT // max(heaviest, LIGHT))


def _values_at_most(asked: Asked) -> int:
    """How many values of each run, by the metric's name as JSON has it."""
    name = max((len(json.dumps(value)) for key, value in asked.query if "etric" in key), default=0)
    runs = sum(key in ("run_ids", "runIds") for key, _value in asked.query)
    return max(1, MOST_TEXT // ((name + _VALUE) * max(1, runs)))


def in_pages(matched: Matched, asked: Asked, heaviest: int) -> Asked:
    """With no more on a page than MLflow can send without being busy for long.

    What is no number is left for MLflow to refuse.
    """
    sizes = _SIZES.get(matched.path.removeprefix(V2))
    if sizes is None:
        return asked
    is_history = matched.path.removeprefix(V2) in _HISTORIES
    bound = _values_at_most(asked) if is_history else at_most(heaviest)
    usual, most = min(sizes[0], bound), min(sizes[1], bound)
    if asked.body is not None:
        return _of_body(asked, usual, most)
    given = [value for key, value in asked.query if key in _KEYS]
    if given and not any(_is_over(value, most) for value in given):
        return asked
    rest = tuple(pair for pair in asked.query if pair[0] not in _KEYS)
    return replace(asked, query=(*rest, (_KEY, str(most if given else usual))))


def _of_body(asked: Asked, usual: int, most: int) -> Asked:
    body = asked.body or {}
    if all(body.get(key) is None for key in _KEYS):
        rest = {key: value for key, value in body.items() if key not in _KEYS}
        return replace(asked, body={**rest, _KEY: usual})
    return asked.with_body(**{key: most for key in _KEYS if _is_over(body.get(key), most)})


def _is_over(value: Any, most: int) -> bool:
    """However a number is written: MLflow takes 5e4, 50000.0 and 00050000 for the same."""
    text = str(value)
    try:
        return len(text) > _LONGEST or float(text) > most
    except ValueError:
        return False
