"""Cursors hold while rows come and change; answers tell whether they are new; limits are told."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studio.rates import Buckets
from sweeps.api.limits import buckets
from sweeps.domain.space_doc import parse_space
from sweeps.models import Sweep, Trial
from tests.api.acts import play
from tests.api.conftest import Caller

SWEEPS = "/workspaces/default/sweeps"


def walked(api: Caller, path: str, between: Any = lambda: None, **query: Any) -> list[Any]:
    """All items of a list, two at a time; `between` happens after the first page."""
    items: list[Any] = []
    cursor = ""
    while cursor is not None:
        body = api.get(path, limit=2, cursor=cursor, **query).json()
        items += body["items"]
        if not cursor:
            between()
        cursor = body["next_cursor"]
    return items


def test_new_sweeps_neither_repeat_nor_hide_others(api: Caller, make_sweep: Any, now: Any) -> None:
    def make(name: str, minute: int) -> None:
        sweep = make_sweep(name=name)
        Sweep.objects.filter(pk=sweep.pk).update(created_at=now + timedelta(minutes=minute))

    for index, name in enumerate("abcde"):
        make(name, index // 2)  # some at the same time
    found = walked(api, SWEEPS, lambda: make("new", 9))
    assert [item["name"] for item in found] == list("edcba")


ORDERS = ["number", "objective", "started_at", "duration_s", "status", "params.lr", "params.word",
          "params.flag", "metrics.loss", "metrics.none", "params.none"]  # fmt: skip


@pytest.mark.parametrize("down", ["", "-"])
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_can_be_walked(
    api: Caller, make_sweep: Any, now: Any, order: str, down: str
) -> None:
    space = {
        "lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
        "word": {"type": "choice", "values": ["ä", "b", "10", 'q"']},
        "flag": {"type": "choice", "values": [True, False]},
    }
    sweep = make_sweep(search_space=parse_space(space), command="python t.py ${{args}}")
    play(sweep, now, [0.3, 0.1, None])
    Trial.objects.filter(sweep=sweep, number=1).update(flat_params={})
    path = f"{SWEEPS}/{sweep.name}/trials"
    whole = [item["number"] for item in api.get(path, order_by=down + order).json()["items"]]
    found = [item["number"] for item in walked(api, path, order_by=down + order)]
    assert found == whole
    assert sorted(found) == list(range(len(found)))


def test_trials_that_come_meanwhile_stand_once(api: Caller, sweep: Sweep, now: Any) -> None:
    def add(number: int, objective: float | None) -> None:
        Trial.objects.create(sweep=sweep, number=number, objective=objective, created_at=now)

    for number, value in enumerate([0.5, 0.4, 0.3, None, None]):
        add(number, value)
    path = f"{SWEEPS}/{sweep.name}/trials"
    found = walked(api, path, lambda: add(5, 0.1), order_by="objective")
    assert [item["number"] for item in found] == [2, 1, 0, 3, 4]


def test_a_cursor_belongs_to_its_list_and_order(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.3, 0.1, 0.2])
    path = f"{SWEEPS}/{sweep.name}/trials"
    cursor = api.get(path, limit=1, order_by="objective").json()["next_cursor"]
    for query in ({"order_by": "-objective"}, {"order_by": "metrics.loss"}, {}):
        response = api.get(path, cursor=cursor, **query)
        assert (response.status_code, response.json()["error"]["field"]) == (422, "cursor")
    assert api.get(f"{SWEEPS}", cursor=cursor).status_code == 422
    assert api.get(path, cursor=cursor[:-1] + "x", order_by="objective").status_code == 422


def test_other_lists_can_be_walked(api: Caller, sweep: Sweep, now: Any) -> None:
    play(sweep, now, [None, None, 0.5])
    Trial.objects.filter(number=1).update(signature="other")
    for text in "abc":
        api.patch(f"{SWEEPS}/{sweep.name}", {"description": text})
    for path in ("revisions", "failures", "trials/2/metrics", "trials/2/decisions"):
        whole = api.get(f"{SWEEPS}/{sweep.name}/{path}").json()["items"]
        assert walked(api, f"{SWEEPS}/{sweep.name}/{path}") == whole, path
    assert len(api.get(f"{SWEEPS}/{sweep.name}/failures").json()["items"]) == 2


def test_a_list_of_sweeps_asks_as_much_for_many_as_for_one(
    api: Caller, make_sweep: Any, now: Any
) -> None:
    counts = []
    api.get(SWEEPS)
    for name in ("one", "two"):
        play(make_sweep(name=name), now, [0.3, 0.1])
        with CaptureQueriesContext(
            connection,
        ) as asked:
            items = api.get(SWEEPS).json()["items"]
        counts.append(len(asked))
    assert len(items) == 2
    assert {item["best_trial"]["number"] for item in items} == {1}
    assert counts[0] == counts[1], counts


def test_who_has_it_already_is_told_so(api: Caller, sweep: Sweep, now: Any) -> None:
    base = f"{SWEEPS}/{sweep.name}"
    play(sweep, now, [0.5])
    for path in (SWEEPS, base, f"{base}/trials", f"{base}/trials/0"):
        first = api.get(path)
        tag = first.headers["ETag"]
        assert tag.startswith('W/"')
        same = api.get_with(path, **{"If-None-Match": f'"x", {tag}'})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    Trial.objects.filter(sweep=sweep, number=0).update(reason="new")
    assert api.get_with(f"{base}/trials/0", **{"If-None-Match": tag}).status_code == 200


def test_a_change_of_what_has_changed_is_refused(api: Caller, sweep: Sweep) -> None:
    path = f"{SWEEPS}/{sweep.name}"
    tag = api.get(path).headers["ETag"]
    assert api.patch(path, {"description": "a"}, **{"If-Match": tag}).status_code == 200
    late = api.patch(path, {"description": "b"}, **{"If-Match": tag})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
    assert Sweep.objects.get().description == "a"
    for fresh in (api.get(path).headers["ETag"], "*"):
        assert api.patch(path, {"description": "c"}, **{"If-Match": fresh}).status_code == 200


def test_more_than_the_limit_is_refused_with_when_to_go_on(
    api: Caller, reader: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.rates.time", SimpleNamespace(monotonic=lambda: 0.0))
    settings.STUDIO_API_RATE = 3
    buckets._levels.clear()
    answers = [api.get("/workspaces") for _ in range(4)]
    assert [a.headers["RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert last.json()["error"]["code"] == "rate_limited"
    assert (last.headers["RateLimit-Limit"], last.headers["Retry-After"]) == ("3", "20")
    assert reader.get("/workspaces").status_code == 200
    settings.STUDIO_API_RATE = 0
    assert "RateLimit-Limit" not in api.get("/workspaces").headers


def test_every_answer_to_a_token_counts_once(
    api: Caller, sweep: Sweep, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.rates.time", SimpleNamespace(monotonic=lambda: 0.0))
    settings.STUDIO_API_RATE = 6
    buckets._levels.clear()
    clone, key = f"{SWEEPS}/{sweep.name}/clone", {"Idempotency-Key": "k"}
    answers = [
        api.post(clone, {"name": "one"}, **key),
        api.post(clone, {"name": "one"}, **key),  # answered again
        api.post(clone, {"name": "two"}, **key),  # the key of another request
        api.post(clone, None, **{"Idempotency-Key": "k" * 65}),
        api.send("DELETE", SWEEPS),
        api.get(SWEEPS),
        *(api.post(clone, {"name": "one"}, **key) for _ in range(2)),
        api.send("DELETE", SWEEPS),
    ]
    statuses = [200, 200, 422, 422, 405, 200, 429, 429, 429]
    assert [answer.status_code for answer in answers] == statuses
    left = [answer.headers["RateLimit-Remaining"] for answer in answers]
    assert left == ["5", "4", "3", "2", "1", "0", "0", "0", "0"]
    assert {answer.headers.get("Retry-After") for answer in answers[6:]} == {"10"}


def test_a_bucket_fills_evenly() -> None:
    found = Buckets()
    assert [found.take(1, 60, now=0).remaining for _ in range(60)][-1] == 0
    refused = found.take(1, 60, now=0.4)
    assert (refused.retry_s, refused.headers["Retry-After"]) == (1, "1")
    assert found.take(1, 60, now=1).retry_s == 0
    assert found.take(1, 60, now=1000).remaining == 59
    assert found.take(2, 60, now=0).remaining == 59
