"""The failures panel, and the filter of the trials table that it sets."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.job import FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.models import Sweep, Trial
from sweeps.queries import boards, failure_groups
from sweeps.queries.failure_groups import groups
from sweeps.services.marks import mark_trial
from tests.api.acts import play

SIGNATURE = "ValueError: “50 % & more” <b>?"
SHOWN = re.compile(r'<tr id="trial-row-(\d+)"')


@pytest.fixture
def failing(make_sweep: Any, now: Any) -> Sweep:
    """Of 20 trials: 0 and 1 failed alike, 2 in its own way, 3 timed out without a word, 4 won."""
    never = FailurePolicy(max_consecutive_failures=0)
    sweep: Sweep = make_sweep(limits=Limits(20, 1, 3600), failure_policy=never)
    play(sweep, now, [None, None, None, None, 0.5])
    sweep.trials.filter(number__lt=2).update(signature=SIGNATURE, reason="Alike.")
    sweep.trials.filter(number=3).update(status="TimedOut", signature="", reason="Too slow.")
    return sweep


def read(client: Client, user: User, sweep: Sweep, page: str = "") -> str:
    client.force_login(user)
    response = client.get(f"/w/default/sweeps/{sweep.name}/{page}")
    assert response.status_code == 200
    return response.content.decode()


def panel(html: str) -> str:
    return html.split('<div id="job-failures">')[1].split('id="job-trials"')[0]


def test_failures_are_told_in_groups_with_an_example(
    client: Client, rita: User, failing: Sweep
) -> None:
    text = unescape(panel(read(client, rita, failing)))
    assert "4 trials in 3 ways" in text
    assert re.findall(r">(\d+)×<", text) == ["2", "1", "1"]
    assert SIGNATURE in text
    assert ">#1</a>: Alike." in text
    assert "Too slow." in text
    assert "<b>?" not in panel(read(client, rita, failing))


@pytest.mark.parametrize("page", ["", "trials/"])
def test_running_again_is_for_contributors(
    client: Client, rita: User, bob: User, failing: Sweep, page: str
) -> None:
    assert "Re-run" not in panel(read(client, rita, failing, page))
    for_bob = panel(read(client, bob, failing, page))
    assert "Re-run these 2" in for_bob
    assert for_bob.count("Re-run this one") == 2
    assert "Re-run all 4 failed" in for_bob


def test_show_keeps_the_trials_of_one_kind(client: Client, rita: User, failing: Sweep) -> None:
    html = read(client, rita, failing)
    links = [unescape(link) for link in re.findall(r'href="[^"]*(\?signature=[^"]*)"', html)]
    assert f"?signature={quote(SIGNATURE, safe='')}" in links
    shown = [SHOWN.findall(read(client, rita, failing, f"trials/{link}")) for link in links]
    assert sorted(shown) == [["0", "1"], ["2"], ["3"]]


def test_the_filter_is_told_kept_and_dropped(client: Client, rita: User, failing: Sweep) -> None:
    query = f"?signature={quote(SIGNATURE)}&sort=-number"
    html = unescape(read(client, rita, failing, f"trials/{query}"))
    assert "2 of 6 shown" in html
    assert f'name="signature" value="{SIGNATURE}"' in html
    chips = r'<span class="filter-chip"><span class="mono">failure</span>.*?</a></span>'
    [chip] = re.findall(chips, html)
    assert SIGNATURE in chip
    assert 'href="?sort=-number"' in chip
    assert 'failures" open' in html
    assert SHOWN.findall(read(client, rita, failing, "trials/?signature=another")) == []
    assert SHOWN.findall(read(client, rita, failing, "trials/?signature=")) == ["3"]


def test_beyond_five_kinds_the_rest_is_folded(client: Client, rita: User, failing: Sweep) -> None:
    for number in range(10, 16):
        fields = {"number": number, "status": "Lost", "signature": f"kind {number}"}
        Trial.objects.create(sweep=failing, ended_at=failing.created_at, **fields)
    text = panel(read(client, rita, failing))
    first, rest = text.split("and 4 more")
    assert (first.count("<li>"), rest.count("<li>")) == (5, 4)


def test_without_failures_there_is_no_panel(
    client: Client, bob: User, sweep: Sweep, now: Any
) -> None:
    play(sweep, now, [0.5])
    assert "Failures" not in panel(read(client, bob, sweep))


def test_a_sweep_that_is_being_ended_runs_nothing_again(
    client: Client, bob: User, failing: Sweep
) -> None:
    client.force_login(bob)
    client.post(f"/w/default/sweeps/{failing.name}/stop")
    text = panel(read(client, bob, failing))
    assert "ValueError" in text
    assert "Re-run" not in text


def test_the_panel_comes_by_itself(client: Client, rita: User, failing: Sweep) -> None:
    client.force_login(rita)
    for tab in ("overview", "trials"):
        address = f"/w/default/sweeps/{failing.name}/live?since=0&tab={tab}"
        assert "Alike." in client.get(address).json()["fragments"]["job-failures"]


def test_a_search_for_more_digits_than_any_trial_has_finds_nothing(
    client: Client, rita: User, failing: Sweep
) -> None:
    for digits in ("9" * 17, "9" * 18, "9" * 6_000):
        assert SHOWN.findall(read(client, rita, failing, f"trials/?q={digits}")) == []


def test_what_failed_alike_is_read_again_only_when_another_trial_has_failed(
    failing: Sweep, now: Any, django_assert_num_queries: Any
) -> None:
    failing.refresh_from_db()
    boards.forget()
    first = groups(failing)
    assert [(group.signature, group.numbers) for group in first] == [
        (SIGNATURE, [0, 1]),
        *[(group.signature, group.numbers) for group in first[1:]],
    ]
    assert sorted(number for group in first for number in group.numbers) == [0, 1, 2, 3]
    mark_trial(failing.trials.get(number=4), note="Of no matter here.")
    failing.refresh_from_db()
    with django_assert_num_queries(2) as asked:  # the trials that changed, and the examples
        again = groups(failing)
    assert [group.numbers for group in again] == [group.numbers for group in first]
    assert not any('"signature", "sweeps_trial"."number"' in one["sql"] for one in asked)
    play(failing, now, [None])
    failing.refresh_from_db()
    numbers = sorted(number for group in groups(failing) for number in group.numbers)
    assert numbers == [0, 1, 2, 3, 5]


def test_what_is_kept_of_failures_has_a_bound(
    make_sweep: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_groups, "MOST_NUMBERS", 3)
    failure_groups._grouped.clear()
    sweeps = []
    for count in (2, 1, 2):
        sweep = make_sweep(name=f"s{len(sweeps)}", limits=Limits(count, 1, 3600))
        play(sweep, now, [None] * count)
        sweep.refresh_from_db()
        groups(sweep)
        sweeps.append(sweep)
    assert list(failure_groups._grouped) == [sweeps[1].uid, sweeps[2].uid]
    monkeypatch.setattr(failure_groups, "MOST_NUMBERS", 1)
    groups(sweeps[0])
    assert list(failure_groups._grouped) == [sweeps[0].uid], "the newest stays, however large"
