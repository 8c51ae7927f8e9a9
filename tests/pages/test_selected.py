"""What is done with several sweeps that were ticked in the list."""

import pytest

from sweeps.models import Sweep
from sweeps.views import selected

URL = "/w/default/sweeps/"
SELECTED = f"{URL}selected"


@pytest.fixture
def three(another_sweep):
    """Two that have ended and one that runs."""
    sweeps = [another_sweep() for _ in range(3)]
    Sweep.objects.filter(pk__in=[sweep.pk for sweep in sweeps[:2]]).update(status="Completed")
    return sweeps


def test_ended_sweeps_are_deleted_and_of_the_others_it_is_said_why_they_stay(client, alice, three):
    client.force_login(alice)
    given = {"do": "delete", "s": [sweep.name for sweep in three], "back": "?sort=name"}
    answer = client.post(SELECTED, given)
    assert answer["Location"] == f"{URL}?sort=name"
    assert list(Sweep.objects.all()) == [three[2]]
    html = client.get(answer["Location"]).content.decode()
    assert "2 sweeps are deleted." in html
    assert "only ended sweeps can be deleted" in html


def test_one_is_cloned_in_the_form(client, bob, three):
    client.force_login(bob)
    answer = client.post(SELECTED, {"do": "clone", "s": three[0].name})
    assert answer["Location"] == f"/w/default/sweeps/new?from={three[0].name}"


def test_several_are_compared_on_the_page_for_that_once_there_is_one(
    client, rita, three, monkeypatch
):
    client.force_login(rita)
    names = ",".join(sweep.name for sweep in three[:2])
    url = f"/w/default/compare/?s={names}"
    monkeypatch.setattr(selected, "reverse", lambda name, args: f"/w/{args[0]}/compare/")
    answer = client.post(SELECTED, {"do": "compare", "s": names.split(",")})
    assert answer["Location"] == url


def test_nothing_selected_is_said(client, alice, three):
    client.force_login(alice)
    for names in ([], ["nothing"], ["a\0"]):
        answer = client.post(SELECTED, {"do": "delete", "s": names, "back": "//evil.example"})
        assert answer["Location"] == URL
    assert Sweep.objects.count() == 3
    assert "No sweep was selected" in client.get(URL).content.decode()


def test_only_owners_delete_and_only_what_is_there(client, bob, rita, charlie, three):
    given = {"do": "delete", "s": three[0].name}
    for person in (bob, rita, charlie):
        client.force_login(person)
        assert client.post(SELECTED, given).status_code == 404
    assert client.post("/w/elsewhere/sweeps/selected", given).status_code == 302
    assert Sweep.objects.count() == 3
    for person in (bob, rita):
        client.force_login(person)
        assert 'value="delete"' not in client.get(URL).content.decode()
    assert client.get(SELECTED).status_code == 405
