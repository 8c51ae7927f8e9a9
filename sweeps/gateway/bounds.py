"""How much one request may ask of MLflow, which is one process for everybody.

MLflow bounds the lists of `log-batch` alone. Any other it takes as long as it is: a search by
40,000 data sets, or 100,000 tags of one run, keep it busy for a minute and cost a GB.
"""

import re
from collections.abc import Iterator
from typing import Any

from sweeps.domain.wording import cut
from sweeps.gateway.adapt import Asked
from sweeps.gateway.json_body import TooManyValues
from sweeps.gateway.refusals import Refusal, invalid
from sweeps.gateway.routes import V2, Matched

MAX_BYTES = 2**20
MAX_NODES = 5_000
# Bodies with more in them: 1,000 metrics of seven fields each; a data set's schema of 1 MiB.
_BYTES = {V2 + "runs/log-batch": 10 * 2**20, V2 + "runs/log-inputs": 4 * 2**20}
_NODES = {V2 + "runs/log-batch": 20_000}
# Every list that a request of MLflow's may have, and how long it may be. The client sends tags
# and params by 100, metrics by 1,000, and the runs of a chart by 100.
MOST = {
    "metrics": 1_000,
    "params": 100,
    "tags": 100,
    "datasets": 100,
    "models": 100,
    "run_ids": 100,
    "experiment_ids": 1_000,
    "order_by": 20,
    "stages": 10,
}
# Characters of names: MLflow takes most of them as long as they are, SQLite too, and a new name of
# a registered model is written to each row of its tags and versions.
LONGEST = {
    **dict.fromkeys(("name", "new_name", "run_name", "dataset_name", "key", "alias"), 500),
    **dict.fromkeys(("model_id", "dataset_digest", "digest", "run_id", "run_uuid"), 500),
    **dict.fromkeys(("user_id", "source_type", "model_type", "source_name"), 500),
    **dict.fromkeys(("run_link", "source", "description"), 100_000),
}
# What MLflow knows no list by counts, too: it is read before it is thrown away.
_MOST_OTHER = 100
# Parsed as SQL, in Python (`adapt` bounds `filter`).
MAX_ORDER = 500


def most_bytes(matched: Matched) -> int:
    """Bytes of the body that this request may have."""
    return _BYTES.get(matched.path, MAX_BYTES)


def most_values(matched: Matched) -> int:
    """Values, with those within values, that this request may have."""
    return _NODES.get(matched.path, MAX_NODES)


def require_small(matched: Matched, length: int) -> None:
    """Raises Refusal (413) for a body of more bytes than the request may have."""
    most = most_bytes(matched)
    if length > most:
        text = f"The request is too large: its body may have {most / 2**20:,.0f} MiB at most."
        raise Refusal(413, "INVALID_PARAMETER_VALUE", text)


def require_bounded(matched: Matched, asked: Asked) -> None:
    """Raises Refusal (400) for more values, longer lists or longer words than MLflow is to read."""
    given: dict[str, list[str]] = {}
    for name, text in asked.query:
        given.setdefault(name, []).append(text)
    most_nodes = most_values(matched)
    for count, (name, value) in enumerate(_nodes({**given, "": asked.body})):
        if count > most_nodes:
            raise invalid(str(TooManyValues(most_nodes)))
        if isinstance(value, list):
            _require_length(name, len(value))
        elif isinstance(value, str) and len(value) > LONGEST.get(name, len(value)):
            most = LONGEST[name]
            raise invalid(f"'{name}' may have {most:,} characters at most, but has {len(value):,}.")
        elif name == "order_by" and isinstance(value, str) and len(value) > MAX_ORDER:
            raise invalid(f"Each text of 'order_by' may have {MAX_ORDER} characters at most.")


def _nodes(body: Any) -> Iterator[tuple[str, Any]]:
    """All values of a body, each with the field that it stands in; all of an order are its."""
    left: list[tuple[str, Any]] = [("", body)]
    while left:
        name, value = left.pop()
        yield name, value
        if isinstance(value, list):
            left += [(name, item) for item in value]
        elif isinstance(value, dict):
            within = name == "order_by"
            left += [(name if within else _plain(key), item) for key, item in value.items()]


def _require_length(name: str, length: int) -> None:
    most = MOST.get(name, _MOST_OTHER)
    if length > most:
        raise invalid(f"'{cut(name)}' may have {most:,} entries at most, but got {length:,}.")


def _plain(key: str) -> str:
    """`orderBy`, as MLflow's parser takes it too, is `order_by`."""
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key)
