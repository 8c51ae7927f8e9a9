"""Requests and answers as a workspace means them."""

import pytest
from sqlparse.lexer import tokenize

from sweeps.gateway import adapt as adapted
from sweeps.gateway.adapt import MAX_COMPARISONS, MAX_FILTER, MAX_PIECES, Asked, adapt, visible
from sweeps.gateway.identity import MemberCaller
from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import V2, match

MEMBER = MemberCaller("team_a", may_write=True)


@pytest.mark.parametrize(
    ("path", "items", "separator"),
    [
        ("experiments/search", "experiments", "/"),
        ("registered-models/search", "registered_models", "."),
        ("model-versions/search", "model_versions", "."),
    ],
)
def test_an_answer_is_cleaned_of_names_that_the_filters_wildcard_let_through(
    path, items, separator
):
    found = {items: [{"name": f"{ws}{separator}x"} for ws in ("team_a", "teamXa", "team_ab")]}
    answer = visible(MEMBER, match("GET", V2 + path), found | {"next_page_token": "t"})
    assert answer == {items: [{"name": f"team_a{separator}x"}], "next_page_token": "t"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", "name LIKE 'team_a.%'"),
        ("name = 'x'", "name = 'team_a.x' AND name LIKE 'team_a.%'"),
        ("name='team_a.x'", "name='team_a.x' AND name LIKE 'team_a.%'"),
        ("tags.name = 'x'", "tags.name = 'x' AND name LIKE 'team_a.%'"),
    ],
)
def test_a_search_is_confined_to_the_workspaces_names(given, sent):
    matched = match("GET", V2 + "registered-models/search")
    asked = Asked((("filter", given), ("max_results", "5")), None)
    assert adapt(MEMBER, matched, asked).query == (("max_results", "5"), ("filter", sent))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("models:/iris/1", "models:/team_a.iris/1"),
        ("models:/team_a.iris@best", "models:/team_a.iris@best"),
        ("models:/m-0123", "models:/m-0123"),
        ("runs:/r/model", "runs:/r/model"),
    ],
)
def test_the_source_of_a_version_gets_the_workspaces_prefix(given, sent):
    matched = match("POST", V2 + "model-versions/create")
    asked = adapt(MEMBER, matched, Asked((), {"name": "new", "source": given}))
    assert asked.body == {"name": "team_a.new", "source": sent}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "runs/search"), ("GET", "model-versions/search")]
)
def test_a_filter_that_would_keep_the_server_busy_is_refused(method, path):
    text = "a = 'b'" + " " * MAX_FILTER
    asked = Asked((("filter", text),), None) if method == "GET" else Asked((), {"filter": text})
    with pytest.raises(Refusal) as refused:
        adapt(MEMBER, match(method, V2 + path), asked)
    assert refused.value.status == 400


FEW = {
    "tables to join": ("metrics.a > 0" + " AnD metrics.a > 0" * MAX_COMPARISONS, "20 comparisons"),
    "data sets": ("dataset.name = 'd' and dataset.name = 'd'", "1 comparison"),
    "data sets, otherwise": ("datasets . name='d' and `dataset`.digest = 'and'", "1 comparison"),
}


FEW |= {
    "assignments": ("attributes.run_name = 'x' " + "a:=" * 3, "no ':='"),
    "statements": ("metrics.a > 0; metrics.a > 0", "no ':='"),
    "words without end": ("metrics.a > 0 " + "a b " * 150, "300 words"),
    "brackets without end": ("(" * 301, "300 words"),
    "texts without end": ("tags.t IN (" + "'a'," * 2_500 + "'a')", "5,000 texts"),
}


@pytest.mark.parametrize("name", [*FEW])
def test_a_filter_that_joins_without_end_is_refused(name):
    text, words = FEW[name]
    matched = match("POST", "/api/2.0/mlflow/runs/search")
    with pytest.raises(Refusal, match=words):
        adapt(MEMBER, matched, Asked((), {"experiment_ids": ["1"], "filter": text}))


@pytest.mark.parametrize("piece", ["\\", ",", " ", "a.", "'a',"])
def test_a_filter_is_taken_apart_no_further_than_it_may_go(piece, monkeypatch):
    taken = []
    pieces = tokenize(piece * (MAX_FILTER // len(piece)))
    monkeypatch.setattr(adapted, "tokenize", lambda _: (taken.append(1) or one for one in pieces))
    with pytest.raises(Refusal, match="at most"):
        adapt(MEMBER, match("POST", V2 + "runs/search"), Asked((), {"filter": "any"}))
    assert len(taken) <= MAX_PIECES + 1


def test_a_thousand_runs_may_be_named():
    text = "attributes.run_id IN (" + ", ".join(f"'{n}'" for n in range(1_000)) + ")"
    matched = match("POST", "/api/2.0/mlflow/runs/search")
    asked = Asked((), {"experiment_ids": ["1"], "filter": text})
    assert adapt(MEMBER, matched, asked).body["filter"] == text


def test_words_within_quotes_are_no_comparisons():
    text = "tags.t = '" + "and dataset.x " * 40 + '\' and dataset.name = "and"'
    matched = match("POST", "/api/2.0/mlflow/runs/search")
    asked = Asked((), {"experiment_ids": ["1"], "filter": text})
    assert adapt(MEMBER, matched, asked).body["filter"] == text
