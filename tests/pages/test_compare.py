"""Trials side by side."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.models import Sweep, Trial
from tests.api.acts import log, play


@pytest.fixture
def ranked(make_sweep: Any, now: Any) -> Sweep:
    """Nine completed trials (8 is best) and one that failed."""
    sweep: Sweep = make_sweep(limits=Limits(10, 1, 3600))
    play(sweep, now, [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, None])
    return sweep


def compared(client: Client, user: User, sweep: Sweep, query: str = "") -> str:
    client.force_login(user)
    response = client.get(f"/w/default/sweeps/{sweep.name}/compare/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def columns(html: str) -> list[str]:
    return re.findall(r'<th scope="col" class="trial .*?>#(\d+)</a>', html, re.DOTALL)


def row(html: str, name: str) -> list[str]:
    line = re.search(rf"<tr><th scope=\"row\"[^>]*>{name}</th>(.*?)</tr>", html, re.DOTALL)
    assert line is not None, name
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line[1], re.DOTALL)
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in cells]


def test_without_a_choice_the_three_best_are_offered(
    client: Client, rita: User, ranked: Sweep
) -> None:
    html = compared(client, rita, ranked)
    assert 'href="?t=8,7,6"' in html
    assert columns(html) == []


def test_columns_stand_in_the_order_asked_for(client: Client, rita: User, ranked: Sweep) -> None:
    assert columns(compared(client, rita, ranked, "?t=3,1,3,2")) == ["3", "1", "2"]
    assert columns(compared(client, rita, ranked, "?t=3&t=7")) == ["3", "7"]


def test_nine_are_cut_to_eight_and_unknown_ones_are_said(
    client: Client, rita: User, ranked: Sweep
) -> None:
    html = compared(client, rita, ranked, "?t=0,1,2,3,4,5,6,7,8")
    assert columns(html) == list("01234567")
    assert "Eight at most" in html
    html = compared(client, rita, ranked, "?t=1,77,x,;DROP")
    assert columns(html) == ["1"]
    assert "There is no trial 77 in this sweep." in html


def test_values_are_compared_with_the_baseline(client: Client, rita: User, ranked: Sweep) -> None:
    html = compared(client, rita, ranked, "?t=1,8,9&base=8")
    worse, base, failed = row(html, "loss, best")
    assert worse.startswith("0.9")
    assert "0.7" in worse
    assert base == "0.200000"
    assert failed == "–"
    assert '<span class="delta is-worse">' in html
    other = compared(client, rita, ranked, "?t=1,8&base=1")
    assert '<span class="delta is-better">' in other


def test_only_differences_unless_all_are_asked_for(
    client: Client, rita: User, ranked: Sweep
) -> None:
    few = compared(client, rita, ranked, "?t=1,8")
    assert "status" not in re.findall(r'<th scope="row">(\w+)</th>', few)
    assert "equal rows hidden" in few
    everything = compared(client, rita, ranked, "?t=1,8&all=1")
    assert row(everything, "status") == ["Completed", "Completed"]


def test_links_keep_the_rest_of_the_address(client: Client, rita: User, ranked: Sweep) -> None:
    html = compared(client, rita, ranked, "?t=1,8&base=8&all=1")
    links = re.findall(r'href="(\?[^"]*)"', html)
    assert "?t=8&base=8&all=1" in links
    assert "?t=1%2C8&base=1&all=1" in links
    assert "?t=1%2C8&base=8" in links


def test_curves_of_each_in_its_own_colour(client: Client, rita: User, ranked: Sweep) -> None:
    client.force_login(rita)
    html = client.get(f"/w/default/sweeps/{ranked.name}/compare/?t=1,8").content.decode()
    assert 'id="chart-compare-data"' in html
    assert '"@trial-1"' in html
    assert '"@trial-8"' in html


def test_odd_baselines_and_metrics_fall_back(client: Client, rita: User, ranked: Sweep) -> None:
    Trial.objects.filter(number=1).update(objective=None, last_value=None)
    for query in ("base=x", "base=99", "base=" + "9" * 20, "metric=nothing"):
        assert columns(compared(client, rita, ranked, f"?t=1,8&{query}")) == ["1", "8"]


def test_last_values_that_are_no_numbers_are_shown(
    client: Client, rita: User, make_sweep: Any, now: Any
) -> None:
    from sweeps.services import sweeps
    from tests.api.acts import end, start

    sweep = make_sweep()
    for trial_id in sweeps.advance(sweep.pk, now).trials:
        attempt = start(trial_id, now)
        log(attempt, [0.5, float("nan")])
        log(attempt, [float("inf")], name="grad")
        end(attempt, now)
    html = compared(client, rita, sweep, "?t=0,1&all=1")
    assert row(html, "grad, last")[0].startswith(("Infinity", "inf", "∞"))
