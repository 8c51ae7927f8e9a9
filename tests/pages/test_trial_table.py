"""The trials table: filters, columns, exports, and what is done to many trials at once."""

import csv
import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.domain.selection import Selection
from sweeps.domain.states import SweepStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.table_columns import all_columns, chosen
from sweeps.queries.trial_table import matching
from sweeps.services.marks import mark_trial
from tests.api.acts import log, play, start


@pytest.fixture
def played(make_sweep: Any, now: Any) -> Sweep:
    """Trials 0-3: 0.3, 0.1 (best), failed, 0.2; trial 4 runs; of 6."""
    sweep: Sweep = make_sweep(limits=Limits(6, 1, 3600))
    play(sweep, now, [0.3, 0.1, None, 0.2])
    start(sweep.trials.get(number=4).pk, now)
    sweep.refresh_from_db()
    return sweep


def url(sweep: Sweep, page: str = "") -> str:
    return f"/w/default/sweeps/{sweep.name}/trials{page}"


def html_of(client: Client, user: User, address: str) -> str:
    client.force_login(user)
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def rows(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-trial="(\d+)"', html)]


def heads(html: str) -> list[str]:
    head = re.search(r"<thead>(.*?)</thead>", html, re.DOTALL)
    assert head
    found = re.findall(r"<th scope[^>]*>(.*?)</th>", head[1], re.DOTALL)
    return [re.sub(r"<[^>]+>", "", text).strip() for text in found]


# --- what is shown ------------------------------------------------------------------------------


def test_columns_are_those_of_the_address_in_its_order(
    client: Client, rita: User, played: Sweep
) -> None:
    standard = ["Trial", "Status", "loss", "last", "lr", "boosting", "Reports", "Duration"]
    assert heads(html_of(client, rita, url(played, "/"))) == standard
    html = html_of(client, rita, url(played, "/?cols=attempt,params.lr&cols=objective,nothing"))
    assert heads(html) == ["Trial", "Status", "Attempt", "lr", "loss"]
    assert heads(html_of(client, rita, url(played, "/?cols=nothing"))) == standard
    client.cookies["cols"] = "params.boosting%2Cobjective"
    assert heads(html_of(client, rita, url(played, "/")))[2:] == ["boosting", "loss"]
    assert heads(html_of(client, rita, url(played, "/?cols=note")))[2:] == ["Note"]


def test_a_column_whose_name_has_a_comma(played: Sweep) -> None:
    log(played.trials.get(number=4).attempts.get(), [1.0], name="a,b: c")
    played.refresh_from_db()
    columns = all_columns(played, "objective")
    [column] = [one for one in columns if one.key == "metrics.a,b: c"]
    assert chosen(columns, [f"{column.quoted},objective"])[0] == column


def test_pages_have_the_size_that_is_asked_for(
    client: Client, rita: User, make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(60, 1, 3600))
    Trial.objects.bulk_create(
        Trial(sweep=sweep, number=n, status="Completed", objective=n, created_at=now)
        for n in range(60)
    )
    assert len(rows(html_of(client, rita, url(sweep, "/")))) == 50
    html = html_of(client, rita, url(sweep, "/?size=25&page=3&sort=number"))
    assert rows(html) == list(range(50, 60))
    assert "51–60 of 60" in html
    assert len(rows(html_of(client, rita, url(sweep, "/?size=9999999")))) == 50


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("key=objective&low=0.1&high=0.2", "in=objective%3A0.1..0.2&sort=number"),
        ("key=params.lr&low=-1e-3", "in=params.lr%3A-0.001..&sort=number"),
        ("key=params.boosting&word=dart", "is=params.boosting%3Adart&sort=number"),
        ("key=params.x%2Cy&missing=1", "no=params.x%252Cy&sort=number"),
        ("in=objective:5..6&key=objective&high=1", "in=objective%3A..1.0&sort=number"),
    ],
)
def test_a_filter_that_is_filled_in_becomes_an_address(
    client: Client, rita: User, played: Sweep, typed: str, address: str
) -> None:
    client.force_login(rita)
    response = client.get(url(played, f"/filter?sort=number&page=3&{typed}"))
    assert response.headers["Location"] == url(played, f"/?{address}")
    fragment = client.get(url(played, f"/filter?sort=number&{typed}"), headers={"X-Fragment": "1"})
    assert fragment.headers["X-Query"] == f"?{address}"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("key=objective&low=much", "Must be a number"),
        ("key=objective&low=nan", "Must be a number"),
        ("key=objective&low=2&high=1", "Must not be below"),
        ("key=objective", "Say from where or to where"),
        ("key=colour&low=1", "nothing to filter by"),
    ],
)
def test_a_wrong_filter_is_told_where_it_was_typed(
    client: Client, rita: User, played: Sweep, typed: str, said: str
) -> None:
    client.force_login(rita)
    response = client.get(url(played, f"/filter?status=Completed&{typed}"))
    html = response.content.decode()
    assert response.status_code == 422
    assert said in unescape(html)
    assert 'name="status" value="Completed"' in html
    fragment = client.get(url(played, f"/filter?{typed}"), headers={"X-Fragment": "1"})
    assert said in unescape(fragment.content.decode())
    assert "<html" not in fragment.content.decode()


def test_that_all_failed_is_said_with_the_reason(
    client: Client, rita: User, make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(4, 1, 3600))
    play(sweep, now, [None, None])
    html = html_of(client, rita, url(sweep, "/"))
    assert "All 2 trials so far have failed" in html
    assert "exit code 1" in html


def test_that_nothing_was_logged_yet_is_said(
    client: Client, rita: User, make_sweep: Any, now: Any
) -> None:
    from sweeps.services import sweeps

    sweep = make_sweep()
    start(sweeps.advance(sweep.pk, now).trials[0], now)
    assert "No trial has logged loss yet" in html_of(client, rita, url(sweep, "/"))


# --- what is done -------------------------------------------------------------------------------


def bulk(client: Client, user: User, sweep: Sweep, query: str, **sent: str) -> str:
    client.force_login(user)
    response = client.post(url(sweep, f"/bulk{query}"), {"tab": "trials", **sent}, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[0][0] == url(sweep, f"/{query}")
    return unescape(response.content.decode())


def marked(sweep: Sweep) -> dict[int, list[str]]:
    return {t.number: t.tags for t in sweep.trials.filter(pinned=True).order_by("number")}


def test_the_ticked_are_pinned_and_tagged(client: Client, bob: User, played: Sweep) -> None:
    assert "2 trials are pinned." in bulk(client, bob, played, "?t=0%2C1", verb="pin")
    html = bulk(client, bob, played, "?t=0%2C1", verb="tag", tag="good, <i>")
    assert "2 trials are tagged good, <i>." in html
    assert marked(played) == {0: ["good", "<i>"], 1: ["good", "<i>"]}
    assert "1 trial is no longer pinned." in bulk(client, bob, played, "?t=1", verb="unpin")
    html = bulk(client, bob, played, "?t=0%2C3", verb="untag", tag="good")
    assert "1 trial is without good now. 1 was not tagged so." in html
    assert marked(played) == {0: ["<i>"]}


def test_all_that_match_are_done_at_once(client: Client, bob: User, played: Sweep) -> None:
    query = "?status=Completed&in=objective%3A..0.25&t=0"
    bulk(client, bob, played, query, verb="pin", scope="all")
    assert list(marked(played)) == [1, 3]


def test_running_ones_are_cancelled_and_failed_ones_run_again(
    client: Client, bob: User, played: Sweep, wake_ups: Any
) -> None:
    html = bulk(client, bob, played, "?t=0%2C2%2C4", verb="cancel")
    assert "1 trial is canceled. 2 were over already." in html
    assert played.trials.get(number=4).desired == "cancel"
    assert "nothing to cancel" in bulk(client, bob, played, "?t=0", verb="cancel")
    html = bulk(client, bob, played, "?t=0%2C1%2C2", verb="rerun")
    assert "1 trial is queued again. 2 were left out" in html
    assert played.trials.get(number=2).status == "Queued"
    assert ("run_trial", played.trials.get(number=2).pk) in wake_ups()
    assert "nothing to run again" in bulk(client, bob, played, "?t=0", verb="rerun")


def button_of(html: str, verb: str) -> str:
    found = re.search(rf'<button[^>]*value="{verb}".*?</button>', html, re.DOTALL)
    assert found
    return found[0]


def test_what_is_offered_says_for_how_many_or_why_for_none(
    client: Client, bob: User, played: Sweep
) -> None:
    html = html_of(client, bob, url(played, "/?t=0%2C2%2C4"))
    assert ">Re-run 1</span>" in button_of(html, "rerun")
    assert ">Cancel 1 running</span>" in button_of(html, "cancel")
    assert 'data-confirm-title="Cancel 1 trial?"' in button_of(html, "cancel")
    done = html_of(client, bob, url(played, "/?t=0%2C1"))
    for verb, why in (("rerun", "Each of these has completed"), ("cancel", "None of these runs")):
        button = button_of(done, verb)
        assert f">None to {'re-run' if verb == 'rerun' else 'cancel'}</span>" in button
        assert f'title="{why}' in button
        # Other trials match, so that without a script all that match can still be chosen.
        assert " disabled" not in button
    narrowed = html_of(client, bob, url(played, "/?t=0%2C1&status=Completed"))
    assert all(" disabled" in button_of(narrowed, verb) for verb in ("rerun", "cancel"))


def test_an_ended_sweep_comes_back_for_many(
    client: Client, bob: User, make_sweep: Any, now: Any
) -> None:
    sweep = make_sweep(limits=Limits(3, 1, 3600))
    play(sweep, now, [None, None, 0.5])
    assert SweepStatus(sweep.status).is_final
    bulk(client, bob, sweep, "?t=0", verb="rerun", scope="all")
    sweep.refresh_from_db()
    assert sweep.status == "Running"
    assert sweep.trials.filter(status="Queued").count() == 2


@pytest.mark.parametrize(
    ("query", "sent", "said"),
    [
        ("", {"verb": "pin"}, "Tick at least one trial."),
        ("?t=1", {"verb": "tag", "tag": " , "}, "Type a tag first."),
        ("?t=1", {"verb": "tag", "tag": "x" * 51}, "50 characters at most"),
        ("?t=1", {"verb": "shred"}, "Nothing of that kind"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: Client, bob: User, played: Sweep, query: str, sent: dict[str, str], said: str
) -> None:
    assert said in bulk(client, bob, played, query, **sent)


def test_only_contributors_change_many(
    client: Client, rita: User, charlie: User, played: Sweep
) -> None:
    for person in (rita, charlie):
        client.force_login(person)
        response = client.post(url(played, "/bulk?t=1"), {"verb": "pin"})
        assert response.status_code == 404
    assert client.get(url(played, "/bulk?t=1")).status_code == 405
    html = html_of(client, rita, url(played, "/?t=1"))
    assert "1 selected" in html
    assert 'name="verb"' not in html
    assert marked(played) == {}


# --- what is taken away -------------------------------------------------------------------------


def fetched(client: Client, sweep: Sweep, file: str) -> str:
    response = client.get(url(sweep, file))
    assert response.status_code == 200
    assert "attachment" in response.headers["Content-Disposition"]
    return b"".join(response.streaming_content).decode()  # type: ignore[arg-type]


def test_csv_of_what_is_shown_and_of_all(client: Client, rita: User, played: Sweep) -> None:
    mark_trial(played.trials.get(number=3), tags=["a", "b"], note="=1+1")
    client.force_login(rita)
    query = "?status=Completed&sort=-objective&cols=note,objective"
    shown = list(csv.DictReader(fetched(client, played, f".csv{query}").splitlines()))
    assert [row["number"] for row in shown] == ["0", "3", "1"]
    assert list(shown[0]) == ["number", "status", "note", "objective", "pinned", "tags", "reason"]
    assert (shown[1]["note"], shown[1]["tags"]) == ("'=1+1", "a, b")
    everything = list(csv.DictReader(fetched(client, played, ".csv?all=1&t=1").splitlines()))
    assert [row["number"] for row in everything] == ["0", "1", "2", "3", "4"]
    assert "params.lr" in everything[0]


def test_json_is_as_rest_tells_it(client: Client, rita: User, played: Sweep) -> None:
    client.force_login(rita)
    shown = json.loads(fetched(client, played, ".json?status=Completed"))
    assert [item["number"] for item in shown["items"]] == [1, 3, 0]
    assert shown["items"][0]["metrics"]["loss"] == {"last": 0.1, "best": 0.1}
    assert len(json.loads(fetched(client, played, ".json?all=1"))["items"]) == 5
    none = json.loads(fetched(client, played, ".json?q=nothing"))
    assert none == {"items": [], "next_cursor": None}


def test_exports_of_odd_addresses_and_of_strangers(
    client: Client, rita: User, charlie: User, played: Sweep
) -> None:
    client.force_login(rita)
    assert client.get(url(played, ".csv?sort=colour")).status_code == 404
    assert client.get(url(played, ".json?in=x")).status_code == 404
    client.force_login(charlie)
    assert client.get(url(played, ".csv")).status_code == 404
    assert client.get(url(played, ".json")).status_code == 404


def test_filtering_and_sorting_read_the_rows_of_the_page_only(
    make_sweep: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    sweep = make_sweep(limits=Limits(300, 1, 3600))
    Trial.objects.bulk_create(
        Trial(sweep=sweep, number=n, status="Completed", objective=n, created_at=now)
        for n in range(300)
    )
    matching(sweep, Selection())
    with django_assert_max_num_queries(0):
        assert matching(sweep, Selection(pinned=True)).tolist() == []
        assert matching(sweep, Selection(), "-number")[:2].tolist() == [299, 298]
