"""Trials side by side."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.models import Sweep, Trial
from sweeps.queries.compare_sweeps import best_so_far
from sweeps.services.marks import tag_trials
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
    return re.findall(r'<th scope="col" class="trial .*?title="#(\d+)"', html, re.DOTALL)


def row(html: str, name: str) -> list[str]:
    line = re.search(rf"<tr[^>]*><th scope=\"row\"[^>]*>{name}</th>(.*?)</tr>", html, re.DOTALL)
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
    assert "Eight at most fit side by side; #8 was left out." in html
    html = compared(client, rita, ranked, "?t=1,77,x,;DROP")
    assert columns(html) == ["1"]
    assert "There is no trial 77 in this sweep." in html


@pytest.mark.parametrize(
    ("add", "leads"),
    [
        ("7", "?t=1,8,7"),
        ("%233, 4", "?t=1,8,3,4"),
        ("exit code", "?t=1,8,9"),
        ("Good", "?t=1,8,5,2"),
        ("nonsense", "?t=1,8&unfound=nonsense"),
        ("", "?t=1,8"),
    ],
)
def test_trials_are_added_by_number_and_by_text(
    client: Client, rita: User, ranked: Sweep, add: str, leads: str
) -> None:
    tag_trials(ranked, [1, 2, 5], add=["good"])
    client.force_login(rita)
    address = f"/w/default/sweeps/{ranked.name}/compare/"
    response = client.get(f"{address}?t=1,8&add={add}")
    assert response.headers["Location"] == f"{address}{leads}"
    if "unfound" in leads:
        assert "No further trial is found by “nonsense”" in compared(client, rita, ranked, leads)


def test_each_metric_has_its_last_least_and_most(client: Client, rita: User, ranked: Sweep) -> None:
    html = compared(client, rita, ranked, "?t=1,8&all=1")
    assert row(html, "loss, last")[0].startswith("0.900000")
    assert row(html, "loss, max")[0].startswith("1.40000")
    assert "loss, min" not in html  # it is the best
    best = row(html, "loss, best")
    assert "best of these" in best[1]
    assert "best of these" not in best[0]


def test_values_are_compared_with_the_baseline(client: Client, rita: User, ranked: Sweep) -> None:
    html = compared(client, rita, ranked, "?t=1,8,9&base=8")
    worse, base, failed = row(html, "loss, best")
    assert worse.startswith("0.9")
    assert "0.7" in worse
    assert base.startswith("0.200000")
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
    assert "?base=8&all=1&t=8" in links
    assert "?t=1,8&all=1&base=1" in links
    assert "?t=1,8&base=8" in links


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


# --- sweeps -------------------------------------------------------------------------------------


@pytest.fixture
def two(another_sweep: Any, now: Any) -> tuple[Sweep, Sweep]:
    """sweep_001 found 0.1 with four trials, sweep_002 0.3 with two; their seeds differ."""
    first = another_sweep(limits=Limits(4, 1, 3600))
    play(first, now, [0.5, 0.4, 0.1, 0.2])
    second = another_sweep(limits=Limits(2, 1, 3600), sampling=Sampling("random", seed=8))
    play(second, now, [0.3, None])
    return first, second


def both(client: Client, user: User, query: str) -> str:
    client.force_login(user)
    response = client.get(f"/w/default/compare/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_sweeps_stand_side_by_side(client: Client, rita: User, two: tuple[Sweep, Sweep]) -> None:
    html = both(client, rita, "?s=sweep_001,sweep_002")
    best = row(html, "best")
    assert best[0].startswith("0.100000")
    assert "+0.200" in best[1]
    assert row(html, "best trial") == ["#2", "#0"]
    assert row(html, "trials at most")[0] == "4"
    assert row(html, "seed") == ["7", "8"]
    assert "choice of gbdt, dart" not in html  # the spaces are equal, so hidden
    everything = both(client, rita, "?s=sweep_001&s=sweep_002&all=1")
    assert "choice of gbdt, dart" in everything
    assert 'id="chart-so-far-data"' in html
    assert "?s=sweep_001,sweep_002&t=sweep_001:2,sweep_002:0" in html


def test_trials_of_different_sweeps_stand_in_one_table(
    client: Client, rita: User, two: tuple[Sweep, Sweep]
) -> None:
    html = both(client, rita, "?t=sweep_001:2,sweep_002:0,sweep_002:1&base=sweep_002:0&all=1")
    base = row(html, "loss, best")
    assert base[0].startswith("0.100000")
    assert "−0.200" in base[0]
    assert base[2] == "–"
    assert row(html, "status")[2] == "Failed"
    assert 'id="chart-curves-data"' in html
    assert "sweep_002 #0" in html


def test_what_is_not_there_and_what_does_not_fit_is_said(
    client: Client, rita: User, two: tuple[Sweep, Sweep]
) -> None:
    html = both(client, rita, "?s=sweep_001,nothing&t=sweep_001:77,sweep_001:x,other:1")
    assert "There is no sweep nothing here." in html
    assert "There is no trial 77 in sweep_001." in html
    assert "There is no trial 1 in other." in html
    html = both(client, rita, "?t=" + ",".join(f"sweep_001:{n}" for n in range(9)))
    assert "sweep_001:8 was left out" in html
    assert "Type the name of a sweep" in both(client, rita, "")


def test_sweeps_that_search_for_different_things_are_not_ranked(
    client: Client, rita: User, two: tuple[Sweep, Sweep]
) -> None:
    Sweep.objects.filter(name="sweep_002").update(goal="maximize")
    html = both(client, rita, "?s=sweep_001,sweep_002")
    assert "do not search for the same" in html
    assert "is-worse" not in html


def test_a_sweep_is_added_and_strangers_see_nothing(
    client: Client, rita: User, charlie: User, two: tuple[Sweep, Sweep]
) -> None:
    client.force_login(rita)
    response = client.get("/w/default/compare/?s=sweep_001&all=1&add=sweep_002")
    assert response.headers["Location"] == "/w/default/compare/?all=1&s=sweep_001,sweep_002"
    client.force_login(charlie)
    assert client.get("/w/default/compare/?s=sweep_001").status_code == 404
    elsewhere = client.get("/w/elsewhere/compare/?s=sweep_001&t=sweep_001:1").content.decode()
    assert "There is no sweep sweep_001 here." in unescape(elsewhere)
    assert "0.100000" not in elsewhere


def test_the_best_so_far_is_a_staircase(two: tuple[Sweep, Sweep]) -> None:
    corners = [(point.report, point.value) for point in best_so_far(two[0])]
    assert corners == [(1, 0.5), (2, 0.5), (2, 0.4), (3, 0.4), (3, 0.1), (4, 0.1)]
    Sweep.objects.filter(pk=two[0].pk).update(goal="maximize")
    two[0].refresh_from_db()
    assert {point.value for point in best_so_far(two[0])} == {0.5}


def test_hostile_names_are_text_everywhere(
    client: Client, rita: User, two: tuple[Sweep, Sweep]
) -> None:
    hostile = "<b>&\"'<script>alert(1)</script>"
    Sweep.objects.update(display_name=hostile)
    Trial.objects.update(note=hostile, tags=[hostile])
    client.force_login(rita)
    query = "?s=sweep_001,sweep_002&t=sweep_001:0,sweep_002:0&all=1"
    html = client.get(f"/w/default/compare/{query}").content.decode()
    assert "<script>alert" not in html
    assert "<b>" not in html
    for figure in re.findall(r'-data" type="application/json">(.*?)</script>', html, re.DOTALL):
        drawn = json.loads(figure)
        labels = [note["text"] for note in drawn["layout"]["annotations"]]
        assert labels
        assert not [text for text in labels if "<script" in text or "<b>&" in text]
