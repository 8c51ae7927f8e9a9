"""Pins, tags and notes on trials."""

from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.domain.marks import MOST_TAGS, split_tags
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep, Trial
from sweeps.services.marks import mark_trial, pin_trials, tag_trials
from tests.api.acts import play
from tests.sweeps.test_boards import numbers

pytestmark = pytest.mark.django_db


@pytest.fixture
def played(sweep: Sweep, now: Any) -> Sweep:
    """Four trials."""
    play(sweep, now, [0.4, 0.1, None, 0.2])
    return sweep


def trial(sweep: Sweep, number: int) -> Trial:
    return Trial.objects.get(sweep=sweep, number=number)


def test_tags_as_people_type_them() -> None:
    assert split_tags(" good,  check   again ,,good") == ("good", "check again")


def test_marks_raise_the_revision_once_and_only_for_a_change(played: Sweep) -> None:
    one = trial(played, 1)
    before = played.revision
    assert mark_trial(one, pinned=True, tags=["good", "good"], note="  Look here.\r\nAgain.\0 ")
    assert not mark_trial(one, pinned=True, tags=["good"])
    played.refresh_from_db()
    found = trial(played, 1)
    assert (played.revision, found.revision) == (before + 1, before + 1)
    assert (found.pinned, found.tags, found.note) == (True, ["good"], "Look here.\nAgain.")
    mark_trial(found, note="")
    assert trial(played, 1).tags == ["good"]  # what is not given stays


@pytest.mark.parametrize(
    "tags", [["a,b"], ["x" * 51], ["a\x07b"], [f"t{n}" for n in range(MOST_TAGS + 1)]]
)
def test_what_is_no_tag_is_refused(played: Sweep, tags: list[str]) -> None:
    with pytest.raises(InvalidInput):
        mark_trial(trial(played, 1), tags=tags)
    with pytest.raises(InvalidInput):
        tag_trials(played, [1], add=tags)
    assert trial(played, 1).tags == []


def test_many_are_pinned_and_tagged_at_once(
    played: Sweep, make_sweep: Any, django_assert_max_num_queries: Any
) -> None:
    mark_trial(trial(played, 0), tags=["old"])
    with django_assert_max_num_queries(9):
        assert tag_trials(played, [0, 1, 2, 77], add=["good", "old"]) == 3
    assert [trial(played, n).tags[-1:] for n in range(4)] == [["good"], ["old"], ["old"], []]
    assert tag_trials(played, range(4), remove=["old"]) == 3
    assert pin_trials(played, [1, 2], pinned=True) == 2
    assert pin_trials(played, [0, 1, 2], pinned=True) == 1
    assert pin_trials(played, [0], pinned=False) == 1
    played.refresh_from_db()
    assert numbers(played, [("pinned", "1")]) == [1, 2]


def test_one_trial_with_too_many_tags_stops_all(played: Sweep) -> None:
    mark_trial(trial(played, 0), tags=[f"t{n}" for n in range(MOST_TAGS)])
    assert tag_trials(played, [1], add=["more"]) == 1  # the full one is not asked
    with pytest.raises(InvalidInput):
        tag_trials(played, [0, 1, 2], add=["most"])
    assert trial(played, 2).tags == []


def test_marks_are_filtered_by_and_found_by_text(played: Sweep) -> None:
    mark_trial(trial(played, 0), tags=["Grün"], note="seed 3 again")
    mark_trial(trial(played, 3), tags=["Grün", "late"], pinned=True)
    played.refresh_from_db()
    assert numbers(played, [("tag", "Grün")]) == [0, 3]
    assert numbers(played, [("tag", "Grün"), ("tag", "late")]) == [3]
    assert numbers(played, [("q", "grün")]) == [0, 3]
    assert numbers(played, [("q", "SEED 3")]) == [0]
    assert numbers(played, [("q", "3")]) == [3]  # a number is a trial's
    assert numbers(played, [("q", "exit code")]) == [2]
    mark_trial(trial(played, 0), tags=[])
    played.refresh_from_db()
    assert numbers(played, [("q", "grün")]) == [3]


def address(sweep: Sweep, number: int) -> str:
    return f"/w/default/sweeps/{sweep.name}/trials/{number}/"


def test_the_page_of_a_trial_takes_marks(client: Client, bob: User, played: Sweep) -> None:
    client.force_login(bob)
    post = f"{address(played, 1)}mark"
    assert client.post(post, {"pinned": "1"}).status_code == 302
    client.post(post, {"tags": "good, <b>", "note": "<script>alert(1)</script>"})
    assert (trial(played, 1).pinned, trial(played, 1).tags) == (True, ["good", "<b>"])
    html = client.get(address(played, 1)).content.decode()
    assert "?tag=%3Cb%3E" in html
    assert "<script>alert" not in html
    client.post(post, {"pinned": ""})
    assert not trial(played, 1).pinned
    refused = client.post(post, {"tags": "x" * 51, "note": "typed"})
    assert refused.status_code == 422
    assert ">typed</textarea>" in refused.content.decode()
    assert "50 characters at most" in refused.content.decode()


def test_readers_see_marks_and_change_none(
    client: Client, rita: User, charlie: User, played: Sweep
) -> None:
    mark_trial(trial(played, 1), note="Seen.")
    client.force_login(rita)
    html = client.get(address(played, 1)).content.decode()
    assert "Seen." in html
    assert 'name="note"' not in html
    for person in (rita, charlie):
        client.force_login(person)
        assert client.post(f"{address(played, 1)}mark", {"pinned": "1"}).status_code == 404
    assert not trial(played, 1).pinned
