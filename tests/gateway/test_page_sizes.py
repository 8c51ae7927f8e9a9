"""Pages of searches and histories: no more at once than MLflow can tell."""

import pytest

from sweeps.gateway.adapt import Asked
from sweeps.gateway.page_sizes import MOST_TEXT, at_most, in_pages
from sweeps.gateway.routes import V2, match

SEARCHES = [
    ("POST", "runs/search", 1_000),
    ("POST", "logged-models/search", 100),
    ("POST", "experiments/search", 1_000),
    ("GET", "experiments/search", 1_000),
    ("GET", "registered-models/search", 100),
    ("GET", "model-versions/search", 1_000),
]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ((), (("max_results", "25000"),)),
        ((("max_results", "10"),), (("max_results", "10"),)),
        ((("maxResults", "999999"),), (("max_results", "25000"),)),
        ((("max_results", "x"),), (("max_results", "x"),)),
        ((("max_results", "0000000000000000999999"),), (("max_results", "25000"),)),
        ((("max_results", "5"), ("maxResults", "9" * 5000)), (("max_results", "25000"),)),
    ],
)
def test_a_history_comes_in_pages(given, sent):
    asked = Asked((("run_id", "r"), ("metric_key", "m"), *given), None)
    got = in_pages(match("GET", V2 + "metrics/get-history"), asked, heaviest=2**22)
    assert got.query == (("run_id", "r"), ("metric_key", "m"), *sent)


@pytest.mark.parametrize(
    ("given", "sent"),
    [(50_000, 1_000), ("50000", 1_000), (5e4, 1_000), ("9" * 5000, 1_000), (5, 5), ("x", "x")],
)
@pytest.mark.parametrize("key", ["max_results", "maxResults"])
def test_runs_come_in_pages(given, sent, key):
    body = {"experiment_ids": ["1"], key: given}
    got = in_pages(match("POST", V2 + "runs/search"), Asked((), body), heaviest=0)
    assert got.body == {"experiment_ids": ["1"], key: sent}


def values(path: str, runs: int, key: str, **given: str) -> int:
    """How many values of each run MLflow is asked for."""
    query = [("run_ids", str(n)) for n in range(runs)] + [("metric_key", key), *given.items()]
    got = in_pages(match("GET", V2 + path), Asked(tuple(query), None), heaviest=0)
    return int(dict(got.query)["max_results"])


def test_of_a_metric_with_a_long_name_fewer_values_come_at_once():
    history, bulk = "metrics/get-history", "metrics/get-history-bulk-interval"
    assert values(history, 0, "loss") == 25_000
    assert values(history, 0, "\U00020000" * 250) < 11_000
    assert values(bulk, 20, "loss", max_results="2500") == 2_500
    assert values(bulk, 100, "loss") < 1_200
    assert values(bulk, 20, "\U00020000" * 250, max_results="2500") < 520


def size(method: str, path: str, heaviest: int, **given: int) -> int:
    """What MLflow is asked for."""
    asked = Asked((), given) if method == "POST" else Asked(tuple(given.items()), None)
    got = in_pages(match(method, V2 + path), asked, heaviest)
    return int(dict(got.query if got.body is None else got.body)["max_results"])


@pytest.mark.parametrize(("method", "path", "usual"), SEARCHES)
def test_fewer_come_at_once_where_one_is_heavy(method, path, usual):
    assert size(method, path, 0) == usual
    assert size(method, path, 2**10) == usual
    assert size(method, path, 4 * 2**20) == 8
    assert size(method, path, 4 * 2**20, max_results=1_000) == 8
    assert size(method, path, 4 * 2**20, max_results=3) == 3
    assert size(method, path, 10 * MOST_TEXT) == 1


def test_a_page_has_as_much_as_it_may():
    for heaviest in (0, 32 * 2**10, 100_000, 4 * 2**20):
        assert at_most(heaviest) * max(heaviest, 1) <= MOST_TEXT
    assert at_most(0) > 1_000
