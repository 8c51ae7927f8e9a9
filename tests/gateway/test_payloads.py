"""Reading and merging log calls; `tests/tracking/test_log_payloads.py` asks the real server."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.gateway.payloads import BadPayload, LogCall, Metric, parse, to_log_batch

RUN = "0123456789abcdef0123456789abcdef"
T = 1_700_000_000_000


def read(call: str, **body: object) -> LogCall:
    return parse(call, json.dumps({"run_id": RUN} | body).encode())


def refusal(call: str, **body: object) -> str:
    with pytest.raises(BadPayload) as caught:
        read(call, **body)
    assert caught.value.as_json()["error_code"] == "INVALID_PARAMETER_VALUE"
    return caught.value.as_json()["message"]


def read_or_refused(call: str, body: str) -> LogCall | str:
    try:
        return parse(call, body.encode())
    except BadPayload as refused:
        return refused.message


def test_a_metric_is_read_with_its_defaults_and_its_model():
    assert read("log-metric", key="acc", value=1, timestamp=T) == LogCall(
        RUN, metrics=(Metric("acc", 1.0, 0, T),)
    )
    linked = read("log-metric", key="acc", value=1, timestamp=T, model_id="m-1", dataset_name="d")
    assert linked.metrics[0].model_id == "m-1"
    assert to_log_batch([linked])[0]["metrics"][0] == {
        "key": "acc",
        "value": 1.0,
        "timestamp": T,
        "step": 0,
        "model_id": "m-1",
        "dataset_name": "d",
    }


@pytest.mark.parametrize("name", ["run_id", "run_uuid", "runId", "runUuid"])
def test_the_run_is_found_under_each_of_its_spellings(name):
    body = {name: RUN, "key": "k", "value": "v"}
    assert parse("set-tag", json.dumps(body).encode()) == LogCall(RUN, tags=(("k", "v"),))


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"run_id": ""},
        {"run_id": "a/../b"},
        {"run_id": "a" * 257},
        {"run_id": "a", "run_uuid": "b"},
        {"run_id": "a", "runId": "a"},
        {"run_id": ["a"]},
    ],
)
def test_a_missing_or_ambiguous_run_is_refused(runs):
    with pytest.raises(BadPayload, match="run_id"):
        parse("set-tag", json.dumps(runs | {"key": "k", "value": "v"}).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff", b"[" * 10_000])
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(BadPayload, match="request body"):
        parse("log-metric", body)


def test_a_body_encoded_twice_by_an_old_client_is_read():
    body = json.dumps(json.dumps({"run_id": RUN, "key": "k", "value": "v"}))
    assert parse("log-parameter", body.encode()).params == (("k", "v"),)


def test_what_mlflow_would_store_as_something_else_is_refused():
    bare = b'{"run_id": "a", "key": "m", "value": NaN, "timestamp": 1}'
    with pytest.raises(BadPayload, match='send it as the text "NaN"'):
        parse("log-metric", bare)
    assert "64-bit integer" in refusal("log-metric", key="m", value=1, timestamp=1.5)
    assert "64-bit integer" in refusal("log-metric", key="m", value=1, timestamp=1, step=2**63)
    assert "64-bit integer" in refusal("log-metric", key="m", value=1, timestamp=1, step=True)
    assert "array of objects" in refusal("log-batch", metrics=["m"])
    assert "valid double" in refusal(
        "log-batch", metrics=[{"key": "m", "value": {}, "timestamp": 1}]
    )


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_a_database_cannot_hold_is_refused(text):
    assert "no text" in refusal("set-tag", key="k", value=text)


def test_a_long_value_is_cut_as_mlflow_cuts_it():
    long = "x" * 9000
    assert len(read("log-parameter", key="k", value=long).params[0][1]) == 6000
    assert len(read("set-tag", key="k", value=long).tags[0][1]) == 8000


def test_a_name_with_a_line_break_is_refused():
    assert "Names may only contain" in refusal("log-metric", key="m\n", value=1, timestamp=1)


def test_an_item_of_a_batch_is_named_by_its_place():
    good = {"key": "m", "value": 1, "timestamp": 1}
    assert "'metrics[1].key'" in refusal("log-batch", metrics=[good, good | {"key": "a,b"}])
    assert "['p']" in refusal("log-batch", params=[{"key": "p", "value": "1"}] * 2)


def test_metrics_params_and_tags_are_merged_apart_and_in_order():
    calls = [
        LogCall(RUN, (Metric("m", 1.0, 1, T),), (("p", "1"),), (("t", "old"),)),
        LogCall(RUN, (Metric("m", math.nan, 2, T),), (("p", "1"), ("q", "2")), (("t", "new"),)),
    ]
    assert to_log_batch(calls) == [
        {
            "run_id": RUN,
            "metrics": [
                {"key": "m", "value": 1.0, "timestamp": T, "step": 1},
                {"key": "m", "value": "NaN", "timestamp": T, "step": 2},
            ],
        },
        {
            "run_id": RUN,
            "params": [{"key": "p", "value": "1"}, {"key": "q", "value": "2"}],
        },
        {"run_id": RUN, "tags": [{"key": "t", "value": "new"}]},
    ]


def test_nothing_to_store_makes_no_body_and_two_runs_are_not_merged():
    assert to_log_batch([]) == []
    assert to_log_batch([LogCall(RUN)]) == []
    with pytest.raises(ValueError, match="2 runs"):
        to_log_batch([LogCall("a"), LogCall("b")])


NAMES = st.text("abc/._- :", min_size=1, max_size=5)
METRICS = st.builds(Metric, NAMES, st.floats(), st.integers(-(2**63), 2**63 - 1), st.integers(0, T))
CALLS = st.builds(
    LogCall,
    st.just(RUN),
    st.lists(METRICS, max_size=700).map(tuple),
    st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=120).map(tuple),
    st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=120).map(tuple),
)


@given(st.lists(CALLS, max_size=3))
def test_bodies_keep_every_metric_in_order_and_stay_within_the_limits(calls):
    bodies = to_log_batch(calls)
    sent = [m for body in bodies for m in body.get("metrics", [])]
    logged = [m for call in calls for m in call.metrics]
    assert [(m["key"], m["step"]) for m in sent] == [(m.name, m.step) for m in logged]
    assert [str(float(m["value"])) for m in sent] == [str(m.value) for m in logged]
    assert all(len(body.get("metrics", [])) <= 1000 for body in bodies)
    for kind in ("params", "tags"):
        groups = [[p["key"] for p in body[kind]] for body in bodies if kind in body]
        assert all(len(set(keys)) == len(keys) <= 100 for keys in groups)
    json.dumps(bodies, allow_nan=False)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["run_id", "key", "value", "timestamp", "step", "metrics", "params"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused_and_never_breaks(value):
    for call in ("log-metric", "log-parameter", "set-tag", "log-batch"):
        assert read_or_refused(call, json.dumps(value))
